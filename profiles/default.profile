# SPDX-License-Identifier: GPL-2.0-or-later
# default.profile - wgns exec as it is without a profile; see wgns-profile(5)
#
# The program has no capability, it cannot gain one, and it resolves names by the box alone: that is so for every
# profile that does not say otherwise. To change what is here for this machine, copy the file to /etc/wgns/profiles.
[Profile]
Description = no capabilities and no new privileges, nothing else

# what could stand here, each with what it means when it is absent:
#Box =                    none: --physical or --in has to be given
#Group =                  everyone who may enter the box
#Capabilities = none
#NoNewPrivs = yes
#SystemBus = yes
#Browser = as-is
#Listen = yes
#Environment = LANG=C     may be repeated; none
#Unset = LD_LIBRARY_PATH  may be repeated; none
#Command = /usr/bin/nice  none

#[Filter]
#Allow =                  may be repeated; everything
#Deny =                   may be repeated; nothing
#Families =               all
