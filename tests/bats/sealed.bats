#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# names stay on the side of the program that asks: a real nscd, what listens where systemd-resolved does, and files that come and go
# shellcheck disable=SC2016 # the scripts are for the shell in the lab
# shellcheck disable=SC2154 # run sets status, output and stderr; coproc sets BOX

load change

readonly nscd_conf='
	logfile /run/nscd.log
	debug-level 1
	paranoia no
	reload-count 0
	enable-cache hosts yes
	positive-time-to-live hosts 600
	negative-time-to-live hosts 600
	shared hosts yes
	persistent hosts no
	enable-cache passwd no
	enable-cache group no
	enable-cache services no
	enable-cache netgroup no'
readonly uplink='nameserver 192.0.2.1'
# every name below www.example.test, on both sides
readonly answer='203.0.113.80 2001:db8:80::80'
readonly shut='varlink: No such file or directory
udp: Connection refused
tcp: Connection refused
nscd: No such file or directory'

setup_file() {
	# shellcheck disable=SC2086 # it may have options
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O2 -Wall -o "$BATS_FILE_TMPDIR/names" "$BATS_TEST_DIRNAME/../lab/names.c"
}

setup() {
	lab_up
	lab_install
	lab_run install -m 755 "$BATS_FILE_TMPDIR/names" /run/bin/names
	# as on every machine that systemd starts
	lab_run mount --make-rshared /
	lab_run sh -c 'cat >/etc/nscd.conf' <<<"$nscd_conf"
	# not a capture: under load that loses packets, and the one that matters may be among them
	lab_run nft -f - <<-"E"
		table inet counted {
			counter port53 { }
			chain out {
				type filter hook output priority 0
				meta l4proto { tcp, udp } th dport 53 counter name port53
			}
		}
	E
	lab_in isp nft -f - <<-"E"
		table inet counted {
			counter port53 { }
			counter port51820 { }
			chain in {
				type filter hook prerouting priority raw
				iifname "isp0" meta l4proto { tcp, udp } th dport 53 counter name port53
				iifname "isp0" udp dport 51820 counter name port51820
			}
		}
	E
}
teardown() { lab_down; }

# the daemons in home, in folders that are there or are made
nscd_start() {
	command -v nscd >/dev/null || skip 'nscd is not installed'
	lab_run mkdir -p /run/nscd
	lab_run nscd 3>&-
	lab_wait lab_run test -S /run/nscd/socket
}
nscd_stop() {
	local pid
	pid=$(lab_run cat /run/nscd/nscd.pid)
	lab_run kill "$pid"
	lab_wait not lab_run test -e "/proc/$pid"
}
resolved_start() {
	lab_run mkdir -p /run/systemd/resolve
	resolved=$(lab_run /run/bin/names listen /run/visits 3>&-)
}
resolved_stop() {
	lab_run kill "$resolved"
	lab_wait not lab_run test -e "/proc/$resolved"
}
not() { ! "$@"; }

# what each of them was asked: nscd for names (sudo asks for the machine's own, in home); visits to systemd-resolved
nscd_asked() { lab_run grep -E 'GETHOST|GETAI' /run/nscd.log | grep -vcF "($HOSTNAME)" || :; }
resolved_visited() { lab_run cat /run/visits; }
# packets home|isp PORT: how many have left home to that port, or come from the uplink in clear
packets() { lab_in "$1" nft -j list counter inet counted "port$2" | jq '.nftables[] | select(.counter).counter.packets'; }
nobody_in_home_asked() {
	[ "$(nscd_asked)" = 0 ] || { lab_run cat /run/nscd.log; return 1; }
	[ -z "$(resolved_visited)" ]
	[ "$(packets home 53)" = 0 ]
}

# heard isp|web NAME: how many questions that resolver heard for NAME-1.www.example.test and so on, each kind of each name once
heard() {
	grep -oE "query\[(A|AAAA)\] $2-[0-9]+\.www\.example\.test from (192\.0\.2\.10|10\.9\.0\.2)$" "$LAB_DIR/dns.$1" | sort -u | wc -l
}
some_names() { seq -f "$1-%.0f.www.example.test" "$2"; }

# thousand NAME CMD...: 1,000 names by one program that CMD starts; its connect(2) calls are in $trace
thousand() {
	local name=$1
	shift
	trace=$BATS_TEST_TMPDIR/trace
	some_names "$name" 1000 | "$@" timeout 60 strace -f -qq -e trace=connect /run/bin/names resolve 2>"$trace" >"$BATS_TEST_TMPDIR/answers"
	[ "$(sort "$BATS_TEST_TMPDIR/answers" | uniq -c | xargs)" = "1000 $answer" ]
}

# sealed CMD...: what CMD starts in physical asks for 1,000 names nobody but the uplink's resolver
sealed() {
	nscd_start
	resolved_start
	up wg0
	thousand box "$@"
	# it has tried
	grep -q 'sun_path="/var/run/nscd/socket"}, .*ENOENT' "$trace"
	run ! grep 'AF_UNIX.* = 0$' "$trace"
	grep -q 'htons(53)' "$trace"
	run ! grep -v -e AF_UNIX -e 'sin_addr=inet_addr("192.0.2.1")' <(grep -e AF_UNIX -e 'htons(53)' "$trace")
	[ "$(heard isp box)" = 2000 ]
	[ "$(heard web box)" = 0 ]
	nobody_in_home_asked
}

# box_start CMD...: a program in physical that goes on while home changes; say TEXT: a line for it; hear: a line of it, in $heard
box_start() { coproc BOX { lab_as alice wgns exec --physical "$@" 2>&1 3>&-; }; }
# a shell, which has been started when this returns
box_start_shell() {
	box_start bash
	say echo started
	hear
	[ "$heard" = started ]
}
say() { printf '%s\n' "$*" >&"${BOX[1]}"; }
hear() { read -rt 20 heard <&"${BOX[0]}" || { echo 'no answer from the box' >&2; return 1; }; }
# for a bash in the box: its names and its doors are still those of the box
box_is_sealed() {
	local line i
	say "names knock; seq -f '$1-%.0f.www.example.test' 150 | names resolve"
	while read -r line; do
		hear
		[ "$heard" = "$line" ] || { echo "in the box: $heard" >&2; return 1; }
	done <<<"$shut"
	for i in {1..150}; do
		hear
		[ "$heard" = "$answer" ] || { echo "in the box: $1-$i: $heard" >&2; return 1; }
	done
	[ "$(heard isp "$1")" = 300 ]
	[ "$(heard web "$1")" = 0 ]
	nobody_in_home_asked
}

@test "of 1,000 names of a user's program in physical, the uplink's resolver hears each, and nobody else any" {
	sealed lab_as alice wgns exec --physical
}

@test "of 1,000 names of root's program in physical, the uplink's resolver hears each, and nobody else any" {
	sealed lab_run /run/bin/wgns exec --physical
}

@test "of 1,000 names of a program in physical by sudo, the uplink's resolver hears each, and nobody else any" {
	# sudo looks for the name of the machine, and whether the account is valid
	lab_run sh -euc 'echo "127.0.1.1 $(hostname)" >>/etc/hosts
		echo "alice:*:20000:0:99999:7:::" >>/etc/shadow
		echo "alice ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/alice'
	[ "$(lab_as alice sudo id -u)" = 0 ]
	sealed lab_as alice sudo /run/bin/wgns exec --physical
	[ "$(lab_as alice sudo /run/bin/wgns exec --physical id -un)" = alice ]
}

@test "of 1,000 names of a program in home, the tunnel's resolver hears each, and none is on the uplink in clear" {
	nscd_start
	resolved_start
	up wg0
	before=$(packets isp 53)
	# physical has asked for the endpoint
	[ "$before" -gt 0 ]
	thousand home lab_as alice
	[ "$(heard web home)" = 2000 ]
	[ "$(heard isp home)" = 0 ]
	[ "$(packets isp 53)" = "$before" ]
	# the questions for one name may share a packet
	[ "$(packets isp 51820)" -ge 1000 ]
	[ "$(nscd_asked)" -ge 1000 ]
}

@test "in the namespace alone the same program asks nscd, and home's resolver hears it: the witnesses are awake" {
	nscd_start
	resolved_start
	up wg0
	[ "$(some_names bare 3 | in_physical /run/bin/names resolve | sort -u)" = "$answer" ]
	[ "$(nscd_asked)" -ge 3 ]
	[ "$(packets home 53)" -ge 6 ]
	[ "$(heard web bare)" = 6 ]
	[ "$(heard isp bare)" = 0 ]
	[ "$(lab_as alice names knock)" = $'varlink: open\nudp: open\ntcp: open\nnscd: open' ]
	[ "$(resolved_visited)" = $'varlink\nudp\ntcp' ]
}

@test "up finds the endpoint without nscd" {
	nscd_start
	resolved_start
	up wg0
	lab_dns_asked isp vpn.example.test
	nobody_in_home_asked
}

@test "a program in physical has the box's resolv.conf, whatever becomes of the host's while it runs" {
	seen=$BATS_TEST_TMPDIR/seen
	resolved_start
	lab_run sh -c 'echo "nameserver 127.0.0.53" >/run/systemd/resolve/stub-resolv.conf'
	up wg0
	lab_as alice wgns exec --physical bash -c \
		'while cat /etc/resolv.conf || echo unreadable; grep ^hosts: /etc/nsswitch.conf; do :; done' 2>&1 3>&- >"$seen" &
	box_start names resolve
	# change N SCRIPT: on the host; then what runs reads, asks and is started anew
	change() {
		local lines
		lab_run sh -euc "cd /etc; $2"
		lines=$(wc -l <"$seen")
		more_seen() { (($(wc -l <"$seen") >= lines + 4)); }
		lab_wait more_seen
		say "while-$1.www.example.test"
		hear
		[ "$heard" = "$answer" ]
		[ "$(lab_as alice wgns exec --physical cat /etc/resolv.conf)" = "$uplink" ]
	}
	change 0 :
	for i in {1..10}; do
		change "$((2 * i))" 'echo "nameserver 10.77.0.80" >resolv.new; mv resolv.new resolv.conf'
		change "$((2 * i + 1))" 'ln -s /run/systemd/resolve/stub-resolv.conf resolv.new; mv -T resolv.new resolv.conf'
	done
	change 30 'ln -sfT ../run/systemd/resolve/stub-resolv.conf resolv.conf'
	change 31 'ln -sfT /nonexistent resolv.conf'
	change 32 'rm resolv.conf'
	change 33 'mkdir resolv.conf'
	change 34 'rmdir resolv.conf; echo "nameserver 127.0.0.53" >resolv.conf'
	change 35 'echo "nameserver 10.77.0.80" >resolv.conf'
	change 36 'echo "nameserver 127.0.0.53" >/run/other; mount --bind /run/other resolv.conf'
	change 37 'umount resolv.conf'
	change 38 'echo "hosts: resolve nis" >nsswitch.new; mv nsswitch.new nsswitch.conf'
	[ "$(sort -u "$seen")" = $'hosts: files dns\n'"$uplink" ]
	[ "$(heard isp while)" = 60 ]
	[ "$(heard web while)" = 0 ]
	[ -z "$(resolved_visited)" ]
	[ "$(packets home 53)" = 0 ]
}

@test "nscd and systemd-resolved end, lose their folders and come back, and stay out of reach of what runs in physical" {
	nscd_start
	resolved_start
	up wg0
	box_start_shell
	box_is_sealed first
	nscd_stop
	resolved_stop
	for dir in /run/nscd /run/systemd/resolve; do
		run ! lab_run rm -rf $dir
		[[ $output = *busy* ]]
		run ! lab_run rmdir $dir
		[[ $output = *busy* ]]
		[ -z "$(lab_run ls -A $dir)" ]
	done
	box_is_sealed second
	nscd_start
	resolved_start
	box_is_sealed third
	# somebody's mount comes below what hides the folder
	nscd_stop
	resolved_stop
	lab_run mount -t tmpfs theirs /run/nscd
	lab_run mount -t tmpfs theirs /run/systemd/resolve
	nscd_start
	resolved_start
	box_is_sealed fourth
	nscd_stop
	resolved_stop
	lab_run umount /run/nscd
	lab_run umount /run/systemd/resolve
	nscd_start
	resolved_start
	box_is_sealed fifth
	[ "$(lab_as alice wgns exec --physical names knock)" = "$shut" ]
	nobody_in_home_asked
}

@test "nscd and systemd-resolved that come after up, where no folder of theirs was, are out of reach in physical" {
	run ! lab_run ls -d /run/nscd /run/systemd
	[ "${#lines[@]}" = 2 ]
	up wg0
	box_start_shell
	nscd_start
	resolved_start
	box_is_sealed before
	[ "$(lab_as alice wgns exec --physical names knock)" = "$shut" ]
	[ "$(some_names after 150 | lab_as alice wgns exec --physical names resolve | sort -u)" = "$answer" ]
	[ "$(heard isp after)" = 300 ]
	nobody_in_home_asked
}

# form SCRIPT: home's resolv.conf is made by it, in /etc. up, look in physical, down, and it is as it was.
form() {
	local before
	lab_run sh -euc "rm -rf /etc/resolv.conf; cd /etc; $1"
	before=$(lab_run ls -ld --time-style=full-iso /etc/resolv.conf 2>&1) || :
	up wg1 2>"$BATS_TEST_TMPDIR/said"
	inside=$(lab_as alice wgns exec --physical cat /etc/resolv.conf)
	[ "$(lab_as alice wgns exec --physical stat -c %F /etc/resolv.conf)" != 'symbolic link' ]
	found=$(some_names form 1 | lab_as alice wgns exec --physical names resolve)
	down wg1
	[ "$(lab_run ls -ld --time-style=full-iso /etc/resolv.conf 2>&1 || :)" = "$before" ]
}

@test "the servers of the uplink are found through every kind of link that resolv.conf is" {
	lab_run sh -euc 'mkdir -p /run/systemd/resolve /run/resolvconf
		echo "nameserver 127.0.0.53" >/run/systemd/resolve/stub-resolv.conf
		echo "nameserver 192.0.2.1" | tee /run/systemd/resolve/resolv.conf >/run/resolvconf/resolv.conf'
	for target in /run/systemd/resolve/stub-resolv.conf ../run/systemd/resolve/stub-resolv.conf /run/systemd/resolve/resolv.conf \
		/run/resolvconf/resolv.conf ../run/resolvconf/resolv.conf; do
		form "ln -s $target resolv.conf"
		[ "$inside" = "$uplink" ] || { echo "$target: $inside"; false; }
		[ "$found" = "$answer" ] || { echo "$target: $found"; false; }
	done
	[ "$(packets home 53)" = 0 ]
}

@test "where resolv.conf names no server, physical finds no name, up says so, and nobody is asked" {
	resolved_start
	for script in 'ln -s /nonexistent resolv.conf' 'ln -s ../run/nonexistent resolv.conf' : 'mkdir resolv.conf' \
		'echo "nameserver 127.0.0.53" >resolv.conf'; do
		form "$script"
		[ -z "$inside" ] || { echo "$script: $inside"; false; }
		[[ $found = *'failure in name resolution' ]] || { echo "$script: $found"; false; }
		grep -q 'programs in a box find no names' "$BATS_TEST_TMPDIR/said"
	done
	[ -z "$(resolved_visited)" ]
	[ "$(packets home 53)" = 0 ]
	[ "$(heard isp form)" = 0 ]
}

@test "hosts are looked up in files and dns alone, and all else as on the host" {
	lab_run sh -euc 'cd /etc; echo "192.0.2.77 printer.lan.test" >>hosts
		sed -i "/^hosts:/d" nsswitch.conf
		sed "1i hosts: resolve mymachines myhostname mdns4_minimal [NOTFOUND=return] files dns" nsswitch.conf >new
		mv new nsswitch.conf'
	resolved_start
	up wg1
	[ "$(lab_as alice wgns exec --physical grep hosts: /etc/nsswitch.conf)" = 'hosts: files dns' ]
	diff <(lab_run grep -v hosts: /etc/nsswitch.conf) <(lab_as alice wgns exec --physical grep -v hosts: /etc/nsswitch.conf)
	diff <(lab_run cat /etc/hosts) <(lab_as alice wgns exec --physical cat /etc/hosts)
	[ "$(lab_as alice wgns exec --physical names resolve <<<printer.lan.test)" = '192.0.2.77 -' ]
	[ "$(some_names lookup 1 | lab_as alice wgns exec --physical names resolve)" = "$answer" ]
	run ! lab_dns_asked isp printer.lan.test
	[ -z "$(resolved_visited)" ]
}

@test "what the host mounts later appears in physical, and what is mounted in physical stays there" {
	lab_run sh -euc 'mkdir /run/later /run/inside; mount -t tmpfs disks /mnt; mkdir /mnt/disk'
	up wg1
	box_start_shell
	lab_run sh -euc 'mount -t tmpfs later /run/later; mount -t tmpfs disk /mnt/disk; echo one >/run/later/a; echo two >/mnt/disk/b'
	say 'cat /run/later/a /mnt/disk/b'
	hear
	[ "$heard" = one ]
	hear
	[ "$heard" = two ]
	lab_run sh -euc 'umount /mnt/disk; mkdir /run/later/c; mount -t tmpfs c /run/later/c; echo three >/run/later/c/d'
	say 'cat /run/later/c/d; ls -A /mnt/disk | wc -l'
	hear
	[ "$heard" = three ]
	hear
	[ "$heard" = 0 ]

	say exit
	wait "$BOX_PID"
	coproc BOX { lab_run /run/bin/wgns exec --physical --user root --profile shell bash 3>&-; }
	before=$(lab_run sort /proc/self/mountinfo)
	say 'mount -t tmpfs inside /run/inside && umount /run/nscd && touch /run/inside/x /run/nscd/made && grep -c shared: /proc/self/mountinfo'
	hear
	[ "$heard" = 0 ]
	[ -z "$(lab_run ls -A /run/inside)" ]
	[ "$(lab_run sort /proc/self/mountinfo)" = "$before" ]
	[ "$(lab_as alice wgns exec --physical ls -A /run/nscd /run/inside)" = $'/run/inside:\n\n/run/nscd:' ]
}

@test "/sys in physical has the uplink's devices, and the machine's cgroups, securityfs, debugfs and bpf" {
	# cgroup2 must be there, the others may
	mounted=()
	while read -r type dir; do
		grep -qw "$type" /proc/filesystems || [[ $type = cgroup2 ]] || continue
		lab_run mount -t "$type" "$type" "$dir"
		mounted+=("$dir")
		[[ $type = bpf ]] || continue
		# what is mounted on a folder in there
		lab_run sh -euc 'mkdir "$1/below"; mount -t tmpfs below "$1/below"' - "$dir"
		mounted+=("$dir/below")
	done <<-"E"
		cgroup2 /sys/fs/cgroup
		securityfs /sys/kernel/security
		debugfs /sys/kernel/debug
		tracefs /sys/kernel/tracing
		bpf /sys/fs/bpf
		configfs /sys/kernel/config
	E
	up wg1
	[ "$(lab_run ls /sys/class/net | xargs)" = 'lo wg1' ]
	[ "$(lab_as alice wgns exec --physical ls /sys/class/net | xargs)" = 'eth0 lo' ]
	[ "$(lab_as alice wgns exec --physical cat /sys/class/net/eth0/address)" = 02:77:67:00:00:02 ]
	# the same file systems, and not new ones of the same kind
	diff <(lab_run stat -c '%n %d:%i' "${mounted[@]}") <(lab_run /run/bin/wgns exec --physical stat -c '%n %d:%i' "${mounted[@]}")
	diff <(lab_run stat -fc '%n %T' "${mounted[@]}") <(lab_run /run/bin/wgns exec --physical stat -fc '%n %T' "${mounted[@]}")
	[ "$(lab_as alice wgns exec --physical cat /sys/fs/cgroup/cgroup.controllers)" = "$(lab_run cat /sys/fs/cgroup/cgroup.controllers)" ]
}
