"""What is known of a customer, as pure functions. Each package knows those before it alone:

reference  dated tables that a bank replaces;
identity   links: which subjects are one customer;
states     what is folded from the events of one subject;
customers  the combination of the states of a customer's subjects, and the view;
value      what a customer is worth; tier and owner, which are decided;
facts      what a rule or a screen may ask: facts, moments, due times;
summarise  all of it for one customer.
"""
