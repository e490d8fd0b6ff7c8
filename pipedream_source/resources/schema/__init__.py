"""Tables and views: names, columns, keys, units, descriptions; uses no other room."""
