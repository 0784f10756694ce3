/ip firewall raw
add action=accept chain=prerouting protocol=tcp
add action=accept chain=prerouting protocol=udp dst-port=53,123
add action=accept chain=prerouting protocol=udp src-port=53,123
add action=drop chain=prerouting
