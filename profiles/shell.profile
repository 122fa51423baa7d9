# SPDX-License-Identifier: GPL-2.0-or-later
# shell.profile - root's own shell in a box. Root has to start it.
#
#   sudo wgns exec --physical --user root --profile shell bash
#
# Everything that root can do, in the network of the box: set-user-ID programs work, devices and routes can be changed,
# and there is a way out of the box (nsenter). It is for repairs, not for programs.
[Profile]
Description = a full root shell
Capabilities = all
NoNewPrivs = no
