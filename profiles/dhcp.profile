# SPDX-License-Identifier: GPL-2.0-or-later
# dhcp.profile - a DHCP client in physical: dhclient, udhcpc, dhcpcd. `up` starts one for each uplink when wgns.conf(5)
# says Agent = dhcp, or when one of them was at work in home. Root can do it by hand, too.
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
# its scripts would tell home's resolver of the uplink's servers
SystemBus = no

# the first that is installed; it stays in the foreground, and its script and the portal's option are added by wgns
[Agent]
Uplinks = all
Command = dhclient -d --no-pid %i
Command = dhcpcd -B %i
Command = udhcpc -f -i %i
Command = busybox udhcpc -f -i %i

[Filter]
Allow = @base @files @process @network
# packet: the first address has to be asked for without one
Families = unix inet inet6 netlink packet
