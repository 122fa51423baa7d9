#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The emulated machine whose PID 1 is systemd: what tests of managers rely on
# only in the VM: 6.12 systemd

load ../lab/lab

@test "systemd has started all of the machine, and nothing failed" {
	[ "$(cat /proc/1/comm)" = systemd ]
	lab_wait test "$(systemctl is-system-running --wait)" = running
	[ "$(systemctl --failed --plain --no-legend)" = "" ]
}

@test "D-Bus knows the managers by name, and they start" {
	systemctl start NetworkManager
	[[ $(nmcli -t general status) = disconnected:* || $(nmcli -t general status) = connected* ]]
	systemctl stop NetworkManager
}

@test "no network card is there unless one is asked for" {
	[ "$(ls /sys/class/net)" = lo ]
}
