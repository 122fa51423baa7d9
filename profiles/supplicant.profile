# SPDX-License-Identifier: GPL-2.0-or-later
# supplicant.profile - wpa_supplicant in physical. Root has to start it.
#
# iwd also keeps keys in the kernel: copy the file to /etc/wgns/profiles/iwd.profile, and add
#   Allow = add_key keyctl request_key
[Profile]
Description = wpa_supplicant, for root: may set up Wi-Fi and 802.1X
Box = physical
Capabilities = net_admin net_raw
Listen = no

[Filter]
Allow = @base @files @process @network
# packet: EAPOL; alg: ciphers of the kernel
Families = unix inet inet6 netlink packet alg
