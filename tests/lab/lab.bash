# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab - a small internet in namespaces, for bats and for scripts/demo
#
#   home                    ISP (a router, DHCP, DNS)        server (VPN)                web
#   eth0 192.0.2.10/26 ──── isp0 192.0.2.1                   wg 10.9.0.1:51820           lan 10.77.0.80, 10.78.0.80
#   2001:db8:1::10          core 198.51.100.1 ────────────── wan 198.51.100.2, lan ───── fd00:77::80, fd00:78::80
#                           lo 203.0.113.80 (public web)     2001:db8:100::2
#
# Home is a machine of its own: pid 1, /proc, /sys, /run, /etc and network belong to the lab, /dev and the rest of
# the files are the caller's. No device of a lab is ever in the caller's namespace.
#
#   /etc/wireguard/wg0.conf  both default routes, DNS 10.77.0.80, endpoint vpn.example.test:51820
#   /etc/wireguard/wg1.conf  10.78.0.0/24 and fd00:78::/64 only, no DNS, endpoint by number
#   names                    vpn.example.test, www.example.test (from the ISP), intra.inside.test (behind the tunnel)
#   web                      http://ADDR/ says where it is, http://ADDR/cgi-bin/who says who asks
#   uplink N (0, 1, ...)     192.0.2.64*N+10/26 by 192.0.2.64*N+1, 2001:db8:N+1::10, MAC 02:77:67:00:0N:02 (ISP: :01)
#
#   users                    alice (4801) is in group wgns, mallory (4802) is not; their homes are /run/user/UID
#
# How to write a test:
#
#   load ../lab/lab
#   setup() { lab_up; }          # or setup_file/teardown_file, when the tests of a file leave the lab as it was
#   teardown() { lab_down; }
#   @test "up brings the tunnel" {
#           lab_snapshot >"$BATS_TEST_TMPDIR/before"
#           lab_capture_start
#           lab_wgns up --backend "$(lab_backend)" wg0
#           lab_wait_handshake wg0
#           [ "$(lab_run curl -sm 5 http://10.77.0.80/)" = "behind the tunnel" ]
#           lab_capture_stop
#           [ "$(lab_capture_count "$LAB_FROM_HOME and not arp and not udp port 51820")" = 0 ]
#           lab_wgns down wg0
#           lab_snapshot | diff "$BATS_TEST_TMPDIR/before" -
#   }
#
# lab_up must be called in the shell that calls lab_down, never in $(...) or a pipe: the lab dies with its caller.
# To have two labs at once, call lab_up a second time after saving LAB_DIR: lab_use DIR changes between them.
# WGNS is the path of the program, WGNS_FAULTY that of one built with FAULTS=1 (unset: build it), LAB_BACKEND (kernel,
# userspace) what lab_backend says. CHECK_IN_VM is the series of the kernel (6.1) in an emulated machine, where everything
# takes ten times as long: a test of many peers may take fewer there. A test that this kernel cannot run says skip "this
# kernel has no ..." and one that needs a daemon skip "the kernel does the encryption here": scripts/check knows these as
# run elsewhere, every other skip fails in CI. Never wait for a time: lab_wait CONDITION.
#
# scripts/check runs a file on the caller's kernel and, when it makes labs, on each kernel of the emulated machines, too. A
# line at its head, after "# ", says it otherwise:
#
#   in the VM: 6.12                 besides the caller's kernel on 6.12 only; "none": in no emulated machine
#   only in the VM: 6.1 6.12        there only: it needs Wi-Fi, VRF, the kernel's WireGuard ... and may take over all of
#                                   the machine, as long as the files after it find it as it was
#   only in the VM: 6.12 systemd    in a machine whose PID 1 is systemd, with D-Bus and udev; one for all such files
#
# "# not in the VM" in the line above one test leaves that out: what it shows is the same on every kernel.
#
# The machines have packages that are not installed on the caller's: see tests/vm/prepare, and tests/vm/run for more.

# whoever runs the tests over SSH is not connected over an uplink of the lab
unset SSH_CONNECTION

LAB_HERE=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
export LAB_HERE
# a capture's packets that home sent, by the first uplink
export LAB_FROM_HOME='ether src 02:77:67:00:00:02'

# lab_up [--uplink NAME]... [--bare] [--ra] [--dad] [--no-config]
#   --uplink     names of home's uplinks (eth0); repeat for several
#   --bare       home's uplinks have no address and are down: a DHCP client may configure them
#   --ra         the ISP sends router advertisements, too
#   --dad        home detects duplicate addresses as the kernel's default is: tentative for a second or two
#   --no-config  /etc/wireguard is empty
lab_up() {
	local uplinks='' home=static ra=no dad=no config=yes dir fd
	while (($#)); do
		case $1 in
		--uplink) uplinks+="${uplinks:+ }$2" && shift ;;
		--bare) home=bare ;;
		--ra) ra=yes ;;
		--dad) dad=yes ;;
		--no-config) config=no ;;
		*) echo "lab_up: $1?" >&2 && return 2 ;;
		esac
		shift
	done
	dir=$(mktemp -d "${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:-${TMPDIR:-/tmp}}}/wgns-lab.XXXXXX") || return
	mkfifo "$dir/ready"
	exec {fd}<>"$dir/ready"
	# pdeathsig and kill-child: whatever ends the caller ends the lab
	(
		lab_close_fds
		cd /
		LAB_UPLINKS=${uplinks:-eth0} LAB_HOME=$home LAB_RA=$ra LAB_DAD=$dad LAB_CONFIG=$config
		LAB_CALLER_NET=$(stat -Lc %i /proc/self/ns/net)
		export LAB_UPLINKS LAB_HOME LAB_RA LAB_DAD LAB_CONFIG LAB_CALLER_NET
		exec setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child \
			--propagation private "$LAB_HERE/world" "$dir"
	) </dev/null >"$dir/log" 2>&1 &
	echo $! >"$dir/unshare"
	LAB_DIR=$dir
	if ! read -rt 60 LAB_WORLD LAB_HOME LAB_KERNEL <&"$fd" || [[ $LAB_WORLD = failed ]]; then
		echo "lab_up: the lab did not start:" >&2
		cat "$dir/log" >&2
		exec {fd}>&-
		lab_end
		return 1
	fi
	exec {fd}>&-
	echo "$LAB_WORLD $LAB_HOME $LAB_KERNEL" >"$dir/state"
	lab_namespaces >"$dir/namespaces"
	export LAB_DIR LAB_WORLD LAB_HOME LAB_KERNEL
}

# lab_use DIR: the functions speak of the lab whose LAB_DIR was DIR
lab_use() {
	LAB_DIR=$1
	read -r LAB_WORLD LAB_HOME LAB_KERNEL <"$LAB_DIR/state"
}

# bats waits for everyone who has its descriptors
lab_close_fds() {
	local fd
	for fd in /proc/"$BASHPID"/fd/*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255)) || exec {fd}>&-
	done
}

# the lab's namespaces by number: pid, mount and network of everyone who is in it
lab_namespaces() {
	readlink "/proc/$LAB_WORLD/ns/"{pid,mnt,net} "/proc/$LAB_HOME/ns/"{pid,mnt,net}
	stat -Lc 'net:[%i]' "/proc/$LAB_WORLD/root/run/netns/"{server,web}
}

# lab_run CMD [ARG]...: in home, as root
lab_run() { nsenter -t "$LAB_HOME" -m -n -p -r --wdns="$PWD" -- "$@"; }

# lab_wgns ARG...: the program under test, in home
lab_wgns() { lab_run "${WGNS:?the path of wgns}" "$@"; }

# lab_install: wgns with its profiles and its helper, which gets its capability, in /run/bin of home, and WGNS is that one
lab_install() {
	export LAB_BUILT=${LAB_BUILT:-$WGNS}
	# shellcheck disable=SC2016 # for the shell in home
	lab_run bash -euc 'mkdir -m 755 /run/bin && cp -r "$1" "$1-exec" "$1-portal" "${1%/*}/profiles" "${1%/*}/agents" /run/bin/ &&
		chown -R root:root /run/bin && chmod -R go-w /run/bin && setcap cap_sys_admin+ep /run/bin/wgns-exec' - \
		"$LAB_BUILT" || return
	WGNS=/run/bin/wgns
}

# lab_as alice|mallory CMD [ARG]...: in home, as that user, as after a login; wgns is in the PATH after lab_install
lab_as() {
	local user=$1 uid
	shift
	uid=$(lab_run id -u "$user")
	lab_run env -i -C "/run/user/$uid" PATH=/run/bin:/usr/bin:/bin:/usr/sbin:/sbin TERM="${TERM-dumb}" LANG=C.UTF-8 USER="$user" LOGNAME="$user" \
		HOME="/run/user/$uid" XDG_RUNTIME_DIR="/run/user/$uid" SHELL=/bin/bash \
		setpriv --reuid "$uid" --regid "$uid" --init-groups -- "$@"
}

# lab_in isp|server|web|home CMD [ARG]...
lab_in() {
	local where=$1
	shift
	case $where in
	home) lab_run "$@" ;;
	isp) nsenter -t "$LAB_WORLD" -m -n -p -r -- "$@" ;;
	*) nsenter -t "$LAB_WORLD" -m -p -r --net="/proc/$LAB_WORLD/root/run/netns/$where" -- "$@" ;;
	esac
}

# lab_backend: what `wgns up --backend` gets here
lab_backend() {
	if [[ -n ${LAB_BACKEND-} ]]; then
		echo "$LAB_BACKEND"
	elif [[ $LAB_KERNEL = yes ]]; then
		echo kernel
	else
		echo userspace
	fi
}

# lab_wait CMD [ARG]...: until it succeeds; 20 s without success are a failure
lab_wait() {
	local deadline=$((SECONDS + ${LAB_DEADLINE:-20})) fd
	exec {fd}<> <(:)
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > deadline)); then
			echo "lab_wait: never: $*" >&2
			exec {fd}>&-
			return 1
		fi
		read -rt 0.02 <&"$fd" || :
	done
	exec {fd}>&-
}

# lab_wait_handshake [DEV]: until every peer of the device in home has shaken hands; the kernel's WireGuard does it for a
# packet, and not for the sake of being up
lab_wait_handshake() {
	# shellcheck disable=SC2016 # for the shell in home
	lab_run bash -c 'for net in 10.77 10.78; do
		[[ $(ip route get $net.0.80 2>&1) = *" dev $1 "* ]] && echo >"/dev/udp/$net.0.80/9"
	done' - "${1:-wg0}" || : # one has a route
	lab_wait lab_has_handshake "${1:-wg0}"
}
lab_has_handshake() {
	lab_run wg show "$1" latest-handshakes | awk '!$2 { none = 1 } END { exit !NR || none }'
}

# lab_capture_start [N]: what passes the ISP's end of uplink N (0), until lab_capture_stop
lab_capture_start() {
	local n=${1:-0}
	(
		lab_close_fds
		exec nsenter -t "$LAB_WORLD" -m -n -r -- \
			tcpdump -i "isp$n" -s 2048 -B 32768 -Unw "$LAB_DIR/capture" --immediate-mode -Z root
	) </dev/null >/dev/null 2>"$LAB_DIR/capture.log" &
	echo "$! $n" >"$LAB_DIR/capture.pid"
	lab_wait grep -q '^tcpdump: listening' "$LAB_DIR/capture.log" || { cat "$LAB_DIR/capture.log" >&2; return 1; }
}

# lab_capture_stop: everything that was sent before is in the capture then
lab_capture_stop() {
	local pid n
	read -r pid n <"$LAB_DIR/capture.pid"
	# a packet of our own closes the capture: once it is written, all before it are
	# shellcheck disable=SC2016
	lab_in isp bash -c 'echo >/dev/udp/224.0.0.$1/9' - "$((100 + n))"
	lab_wait lab_capture_has_end
	kill -INT "$pid"
	wait "$pid" 2>/dev/null || :
	# a packet that nobody saw may be the leak
	grep -q '^0 packets dropped by kernel' "$LAB_DIR/capture.log" || { cat "$LAB_DIR/capture.log" >&2; return 1; }
}
lab_capture_has_end() { [[ $(tcpdump -nr "$LAB_DIR/capture" 'dst net 224.0.0.96/27 and udp port 9' 2>/dev/null) ]]; }

# lab_capture_show FILTER: the packets (pcap-filter(7)); lab_capture_count: how many
lab_capture_show() {
	tcpdump -nr "$LAB_DIR/capture" "($*) and not (dst net 224.0.0.96/27 and udp port 9)" 2>/dev/null
}
lab_capture_count() { lab_capture_show "$@" | wc -l; }

# lab_dns_asked isp|web NAME: did that resolver hear this name?
lab_dns_asked() { grep -qF "] $2 from " "$LAB_DIR/dns.$1"; }

# lab_snapshot: all of home's state as text, one fact per line
lab_snapshot() { lab_run setsid -w "$LAB_HERE/snapshot"; }

# lab_down: end the lab; fails and says what is left when something is
lab_down() {
	local left=0 file fd held=()
	[[ -n ${LAB_DIR-} ]] || return 0
	# what is held open keeps its number: another lab that starts in this moment would get it, and look like this one
	for file in "/proc/$LAB_WORLD/ns/"{pid,mnt,net} "/proc/$LAB_HOME/ns/"{pid,mnt,net} "/proc/$LAB_WORLD/root/run/netns/"{server,web}; do
		[[ -e $file ]] && exec {fd}<"$file" && held+=("$fd")
	done
	kill -KILL "$LAB_WORLD" 2>/dev/null || :
	lab_wait lab_is_gone "$LAB_DIR/namespaces" || left=1
	for fd in "${held[@]}"; do exec {fd}<&-; done
	if grep -F "$LAB_DIR" /proc/self/mountinfo >&2; then
		echo "lab_down: mounts are left" >&2
		left=1
	fi
	if grep -l '^02:77:67:' /sys/class/net/*/address >&2; then
		echo "lab_down: devices of a lab are in the caller's namespace" >&2
		left=1
	fi
	lab_end
	return $left
}
# lab_is_gone FILE: is nobody in one of the namespaces that the file lists?
lab_is_gone() {
	local out
	out=$(readlink /proc/[0-9]*/ns/{pid,mnt,net} 2>/dev/null | grep -xFf "$1") || :
	[[ -z $out ]]
}

lab_end() {
	local pid
	read -r pid <"$LAB_DIR/unshare"
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	rm -rf "$LAB_DIR"
	unset LAB_DIR LAB_WORLD LAB_HOME LAB_KERNEL
}
