"""Do operators treat registered endpoints unlike others? Anybody can measure it, with servers of their own.

Two addresses of one server, of which a coin said which is registered, are asked in the same minute from several
networks. Nothing here asks a server that is not in the plan, and no result names a network, an operator or an address.
No Django, no database.
"""
