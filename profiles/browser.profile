# SPDX-License-Identifier: GPL-2.0-or-later
# browser.profile - a browser past the tunnel, with an empty profile that goes with its last process
#
# There is no filter of system calls: chromium and firefox lock their own processes up, with filters and namespaces, and
# a filter around that would take the namespaces away from them.
[Profile]
Description = a browser past the tunnel, with an empty profile of its own
Box = physical
Browser = fresh
# the browser that runs in home, and the network manager, are on the bus
SystemBus = no
# Firefox takes its profile from there before it looks at its arguments
Unset = XRE_PROFILE_PATH
# the settings of Chromium's crash reports, which it keeps outside of its profile
Environment = BREAKPAD_DUMP_LOCATION=/run/wgns/box/physical/fresh
