# a router at the edge
/ip firewall address-list
add address=192.0.2.0/24 list=ours
add address=203.0.113.64/26 list=ours
/ip firewall filter
add action=fasttrack-connection chain=forward connection-state=established,related
add action=accept chain=forward connection-state=established,related,untracked
add action=accept chain=forward dst-address-list=ours
add action=drop chain=forward comment="all that is left"
