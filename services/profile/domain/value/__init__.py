"""What a customer is worth by declared scales; and what is decided from it and recorded: tier and owner."""
