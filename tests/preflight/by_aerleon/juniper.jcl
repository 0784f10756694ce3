firewall {
    family inet {
        /*
         ** $Id:$
         ** $Date:$
         ** $Revision:$
         **
         ** x
         */
        replace: filter EDGE {
            interface-specific;
            term bad {
                from {
                    source-address {
                        203.0.113.0/24;
                    }
                }
                then {
                    discard;
                }
            }
            term gate {
                from {
                    destination-address {
                        198.51.100.7/32;
                    }
                    protocol udp;
                    destination-port [ 500 4500 51820 ];
                }
                then accept;
            }
            term esp {
                from {
                    destination-address {
                        198.51.100.7/32;
                    }
                    protocol esp;
                }
                then accept;
            }
            term ours {
                from {
                    destination-address {
                        192.0.2.0/25;
                    }
                    protocol tcp;
                    destination-port [ 80 443 ];
                }
                then accept;
            }
            term rest {
                then {
                    discard;
                }
            }
        }
    }
}
