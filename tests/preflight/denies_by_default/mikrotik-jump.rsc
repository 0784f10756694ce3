/ipv6 firewall filter
add action=jump chain=forward jump-target=others
add action=accept chain=others dst-address=2001:db8:9::/48
add action=accept chain=others connection-state=established,related
add action=drop chain=others
