"""`python -m services.cli`, where the script `counterpoint` is not installed."""

from services.cli import main

if __name__ == "__main__":
    main()
