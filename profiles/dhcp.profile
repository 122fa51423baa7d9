# SPDX-License-Identifier: GPL-2.0-or-later
# dhcp.profile - a DHCP client in physical: dhclient, udhcpc, dhcpcd. Root has to start it.
#
#   sudo wgns exec --user root --profile dhcp dhclient -d eth0
#
# It runs as user 0 without root's rights over other users' files. Its scripts can set addresses and routes, and neither
# the clock nor the name of the machine. dhcpcd says that it cannot drop its privileges, and goes on with these few.
[Profile]
Description = a DHCP client, for root: may set addresses and routes
Box = physical
Capabilities = net_admin net_raw net_bind_service
Listen = no

[Filter]
Allow = @base @files @process @network
# packet: the first address has to be asked for without one
Families = unix inet inet6 netlink packet
