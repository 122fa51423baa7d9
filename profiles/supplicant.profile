# SPDX-License-Identifier: GPL-2.0-or-later
# supplicant.profile - wpa_supplicant in physical. `up` starts it for each wireless uplink when wgns.conf(5) says
# Agent = supplicant dhcp, or when it was at work in home. Root can do it by hand, too.
#
# iwd does not run under it: there is one for all cards, which does not start without the system bus and keeps keys in the
# kernel. Agent = auto, or Agent = systemd:iwd, moves it as the service that it is.
[Profile]
Description = wpa_supplicant, for root: may set up Wi-Fi and 802.1X
Box = physical
Capabilities = net_admin net_raw
Listen = no
# by it user 0 could give systemd orders; nothing of wpa_supplicant's own needs it without -u
SystemBus = no

[Agent]
Uplinks = wireless
Command = wpa_supplicant -i %i -c /etc/wpa_supplicant/wpa_supplicant-%i.conf

[Filter]
Allow = @base @files @process @network
# packet: EAPOL; alg: ciphers of the kernel
Families = unix inet inet6 netlink packet alg
