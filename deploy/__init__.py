"""How the platform is run: servers for tests, containers, migrations, dashboards. No service imports this."""
