#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# wgns portal: the lab's provider is a hotspot that lets nothing through until a button is pressed
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2016 # the scripts are for the shell in the lab

load change

readonly page=http://192.0.2.1:8080/login probe=http://www.example.test/

setup() {
	spot=$BATS_TEST_TMPDIR/spot
	world
}
# world [LAB-OPTION]...
world() {
	lab_up "$@"
	lab_install
	lab_run sh -c 'printf "[Portal]\nUrl = http://www.example.test/\nExpect = the public web\n" >/etc/wgns/wgns.conf'
}
teardown() { lab_down; }

# hotspot [MODE] [CERTIFICATE KEY]: TCP 80 of home leads to it, and nothing of home is forwarded, until it lets home through
hotspot() {
	mkdir -p "$spot"
	mode "${1:-portal}"
	touch "$spot/log"
	cat >"$spot/pressed" <<-E
		#!/bin/sh
		nft add element inet hotspot free '{ 02:77:67:00:00:02 }'
	E
	chmod 755 "$spot/pressed"
	(lab_close_fds && exec nsenter -t "$LAB_WORLD" -m -n -p -r -- \
		"$BATS_TEST_DIRNAME/../lab/hotspot" "$spot" "${@:2}") </dev/null >"$spot/out" 2>&1 &
	lab_in isp nft -f - <<-"E"
		table inet hotspot {
			set free { type ether_addr; }
			chain web {
				type nat hook prerouting priority -100
				iifname "isp0" ether saddr != @free tcp dport 80 redirect to :8080
			}
			chain through {
				type filter hook forward priority 0
				iifname "isp0" ether saddr != @free drop
			}
		}
	E
	lab_wait listens 8080
	[ $# -lt 2 ] || lab_wait listens 8443
}
listens() { lab_in isp grep -qi "$(printf ':%04X 0*:0000 0A' "$1")" /proc/net/tcp6; }
mode() { echo "$1" >"$spot/mode"; }
press() { lab_in isp curl -sm 5 -d room=7 http://[::1]:8080/press; }

portal() { lab_as alice wgns portal "$@"; }

# begin [ARG]...: alice's portal in the background, its output in $out; wait_for TEXT: until it says so
begin() {
	out=$BATS_TEST_TMPDIR/out
	: >"$out" # what is in the background does it later, and wait_for would read what the one before said
	(lab_close_fds && lab_as alice env --default-signal "${env[@]}" wgns portal "$@") </dev/null >"$out" 2>&1 &
	portal_pid=$!
}
env=(X=)
wait_for() { LAB_DEADLINE=${2:-30} lab_wait grep -qF -- "$1" "$out" || { cat "$out" >&2; return 1; }; }
ends() {
	local status=0
	wait "$portal_pid" || status=$?
	[ "$status" = "$1" ] || { echo "status $status" >&2; cat "$out" >&2; return 1; }
}
# the process of wgns itself, and a signal for it
signal() { lab_run pkill "-$1" -o -u alice -x wgns; }

# nothing of alice's runs any more, and no throw-away profile is anywhere
has_profile() { lab_run sh -c 'grep -sl " /run/wgns/box/physical/fresh " /proc/[0-9]*/mountinfo'; }
is_clean() {
	run ! lab_run pgrep -lu alice
	run ! has_profile
}

@test "a way that is free is said to be free, for a user and for root, and nothing is opened" {
	up wg1
	run -0 portal
	[ "$output" = 'free: no captive portal is in the way' ]
	run -0 lab_wgns portal
	[ "$output" = 'free: no captive portal is in the way' ]
	lab_run sh -c 'printf "#!/bin/sh\nprintf \"Status: 204 No Content\\r\\n\\r\\n\"\n" >/run/204; chmod 755 /run/204'
	lab_run cat /run/204 | lab_in isp sh -c 'cat >/run/world/www/cgi-bin/none; chmod 755 /run/world/www/cgi-bin/none'
	lab_run sh -c 'printf "[Portal]\nUrl = http://www.example.test/cgi-bin/none\n" >/etc/wgns/wgns.conf'
	run -0 portal
	[ "$output" = 'free: no captive portal is in the way' ]
}

@test "without a display the page's URL is printed, and the tunnel shakes hands when the way is free" {
	hotspot
	up wg0
	begin
	wait_for "captive: $page"
	wait_for 'there is no display'
	run ! lab_has_handshake wg0
	press
	ends 0
	grep -qx 'free: the portal has let this machine through' "$out"
	grep -qx 'wg0: the tunnel answers' "$out"
	lab_has_handshake wg0
	is_clean
}

@test "chromium shows the page in physical, its button is pressed, and home sent nothing in clear" {
	command -v chromium >/dev/null || { [ -n "${WGNS_MUST_RUN:-}" ] || skip 'chromium is not installed'; }
	hotspot
	up wg0
	lab_capture_start
	begin --browser 'chromium --headless --remote-debugging-port=9222 --disable-gpu --disable-quic
		--disable-dev-shm-usage'
	wait_for "captive: $page"
	# what home tries meanwhile
	run ! lab_run curl -sm 1 http://203.0.113.80/secret-of-home
	run ! lab_run timeout 1 getent hosts secret-of-home.example.test
	run -0 in_physical timeout 60 "$BATS_TEST_DIRNAME/../lab/press" 9222 go
	[ "$output" = "$page" ]
	wait_for 'wg0: the tunnel answers' 60
	ends 0
	lab_has_handshake wg0
	lab_capture_stop
	grep -q '^8080 POST /press' "$spot/log"
	[ "$(lab_capture_count "$LAB_FROM_HOME and udp port 51820")" -ge 1 ]
	[ "$(lab_capture_count "$LAB_FROM_HOME and tcp port 8080")" -ge 1 ]
	# else only the probe, questions for names to the provider's server, and neighbours
	lab_capture_show "$LAB_FROM_HOME and not (arp or igmp or icmp6 or ip6 proto 0 or udp port 51820 or tcp port 8080 or
		tcp port 80 or (udp port 53 and dst host 192.0.2.1))" | diff /dev/null -
	run ! grep -qa secret-of-home "$LAB_DIR/capture"
	run ! lab_dns_asked isp secret-of-home.example.test
	is_clean
	run ! lab_run sh -c 'ls -A /run/wgns/box/physical/fresh | grep .'
}

# certificate: of an authority that home trusts, for www.example.test
certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=lab' -keyout "$BATS_TEST_TMPDIR/ca.key" \
		-out "$BATS_TEST_TMPDIR/ca.pem" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj '/CN=www.example.test' -keyout "$BATS_TEST_TMPDIR/key" 2>/dev/null |
		openssl x509 -req -days 2 -CA "$BATS_TEST_TMPDIR/ca.pem" -CAkey "$BATS_TEST_TMPDIR/ca.key" -CAcreateserial \
			-extfile <(echo 'subjectAltName = DNS:www.example.test') -out "$BATS_TEST_TMPDIR/cert" 2>/dev/null
}
trust() {
	lab_run install -D -m 644 /dev/stdin /etc/ssl/certs/ca-certificates.crt <"$BATS_TEST_TMPDIR/ca.pem"
}
# lease LINE: as if an agent had written it
lease() {
	lab_run install -d -m 755 /run/wgns/box/physical/lease
	lab_run sh -c 'cat >/run/wgns/box/physical/lease/eth0' <<<"$1"
}
# api TYPE JSON
api() { printf '%s\n%s\n' "$1" "$2" >"$spot/api"; }
readonly api_url=https://www.example.test:8443/api json=application/captive+json

@test "the API that DHCP names is asked, and its page is opened" {
	lab_down
	world --bare
	certificate
	hotspot portal "$BATS_TEST_TMPDIR/cert" "$BATS_TEST_TMPDIR/key"
	trust
	echo "114,$api_url" >"$LAB_DIR/dhcp.opts"
	lab_in isp pkill -HUP -xf 'dnsmasq .*--dhcp-optsfile.*'
	# who is in home says nothing of it; the agent in physical asks for it
	lab_run ip link set eth0 up
	lab_run busybox udhcpc -i eth0 -b -S -s "$LAB_HERE/udhcpc-script" >"$LAB_DIR/client" 2>&1
	up wg1
	api $json '{"captive": true, "user-portal-url": "https://www.example.test:8443/login"}'
	begin --no-browser
	wait_for 'captive: https://www.example.test:8443/login'
	api $json '{"captive": false}'
	press
	ends 0
	grep -q '^8443 GET /api .*Accept: application/captive+json' "$spot/log"
	# who is asked knows where one is: nobody else was
	run ! grep -q '^8080 GET' "$spot/log"
}

@test "an API that cannot prove who it is, or answers otherwise than RFC 8908 has it, is not believed" {
	certificate
	hotspot portal "$BATS_TEST_TMPDIR/cert" "$BATS_TEST_TMPDIR/key"
	up wg1
	lease "captive-portal $api_url"
	api $json '{"captive": false}'
	falls_back() {
		begin --no-browser
		wait_for "captive: $page"
		grep -qF "$1" "$out"
		signal INT
		ends 1
	}
	falls_back 'the server could not prove who it is'
	trust
	run -0 portal
	[ "$output" = 'free: no captive portal is in the way' ]
	local wrong='the answer was none that can be understood'
	api text/html '{"captive": false}'
	falls_back "$wrong"
	api $json '{"captive": "no"}'
	falls_back "$wrong"
	api $json '{"captive": false'
	falls_back "$wrong"
	api $json '[]'
	falls_back "$wrong"
	api huge ''
	falls_back "$wrong"
	# of another name
	lease 'captive-portal https://vpn.example.test:8443/api'
	falls_back 'cannot be asked'
	lease "captive-portal http://www.example.test:8080/api"
	falls_back 'without https:'
	lease "captive-portal file:///etc/passwd"
	falls_back 'in a way that cannot be used'
	# a page that is not https: is not taken from the API, but the one of the probe
	lease "captive-portal $api_url"
	api $json '{"captive": true, "user-portal-url": "http://evil.test/"}'
	begin --no-browser
	wait_for "captive: $page"
	signal INT
	ends 1
}

@test "whatever a hotspot answers, the page is one of http: or https: that can be shown, or the probe's own" {
	hotspot
	up wg1
	local m
	for m in text required empty script file control user long huge shell; do
		mode $m
		begin --no-browser
		wait_for 'captive: '
		signal INT
		ends 1
		grep -qx "captive: $probe" "$out" || { echo "$m:" && cat "$out"; return 1; } >&2
		run ! grep -qP '[^\x20-\x7e\n]' "$out"
	done
	mode loop
	begin --no-browser
	wait_for 'captive: http://www.example.test/again'
	signal INT
	ends 1
}

@test "what is no portal's answer is not called one, and says what it is" {
	hotspot
	up wg1
	fails() {
		run -1 portal
		[[ $output = "wgns: portal: $1"* ]] || { echo "$output" >&2; return 1; }
	}
	mode odd
	fails "$probe answers neither as expected nor as a portal would"
	mode secure
	fails "the server of $probe sends to https: itself"
	mode bomb
	fails 'the answer was none that can be understood'
	mode noise
	fails 'the answer was none that can be understood'
	mode slow
	fails 'the network takes packets, and no answer came in time'
	mode mute
	fails 'the network takes packets, and no answer came in time'
	lab_in isp nft 'add chain inet hotspot in { type filter hook input priority 0; }'
	lab_in isp nft 'add rule inet hotspot in tcp dport 8080 reject with tcp reset'
	fails 'nobody can be reached: no route, or refused'
	lab_in isp nft 'add rule inet hotspot in udp dport 53 drop'
	fails "the network's name servers do not answer, or do not know the name"
	lab_run sh -c ': >/run/wgns/box/physical/etc/resolv.conf'
	fails 'physical has no name server'
	lab_run ip -n physical addr flush dev eth0 scope global
	fails 'no uplink has an address'
	lab_in isp ip link set isp0 down
	fails 'no uplink has a carrier'
	down wg1
	run -3 portal
	[ "$output" = $'wgns: portal: physical is not up\n  hint: sudo wgns up TUNNEL' ]
}

@test "who is not in the group is refused, and a wrong command line is" {
	up wg1
	run -1 lab_as mallory wgns portal
	[[ $output = 'wgns: portal: permission denied: group wgns may enter physical'* ]]
	run -2 portal --browser
	run -2 portal --nonsense
	run -2 portal http://www.example.test/
	run -2 portal --browser lynx --no-browser
	lab_run sh -c 'printf "[Portal]\nUrl = https://www.example.test/\n" >/etc/wgns/wgns.conf'
	run -1 portal
	[[ $output = *'/etc/wgns/wgns.conf:2:'*'a URL of http:'* ]]
}

# browser NAME: a stand-in that says how it was called, leaves an orphan and a profile, and does not end by itself
browser() {
	lab_run sh -euc 'cat >/run/bin/$1; chmod 755 /run/bin/$1' - "$1" <<-"E"
		#!/bin/bash
		for word; do printf '[%s]\n' "$word"; done >/run/user/4801/called
		readlink /proc/self/ns/net >>/run/user/4801/called
		for word; do [[ $word != --user-data-dir=* ]] || echo secret >"${word#*=}/cookie"; done
		# one that has left its parent, and does not go kindly
		(setsid bash -c 'trap "" TERM; echo $$ >/run/user/4801/orphan; exec -a stubborn sleep 1000' &)
		exec -a lingering sleep 1000
	E
}

@test "the browser is started in physical with a throw-away profile and the page as its last word, and is ended" {
	hotspot
	mode shell
	up wg1
	browser chromium
	env=(DISPLAY=:0 'WAYLAND_DISPLAY=wayland-0')
	lab_run sh -c 'echo "Browser = chromium --kiosk  --lang=de" >>/etc/wgns/wgns.conf'
	begin
	wait_for "captive: $probe"
	lab_wait lab_run test -s /run/user/4801/orphan
	[ "$(lab_run cat /run/user/4801/called)" = "[--user-data-dir=/run/wgns/box/physical/fresh]
[--no-first-run]
[--no-default-browser-check]
[--password-store=basic]
[--disable-background-networking]
[--disable-component-update]
[--disable-sync]
[--kiosk]
[--lang=de]
[$probe]
net:[$(lab_run stat -Lc %i /run/wgns/box/physical/netns)]" ]
	[ "$(lab_run pgrep -u alice -xc sleep)" = 2 ]
	has_profile
	press
	ends 0
	is_clean
	grep -qx 'free: the portal has let this machine through' "$out"
}

@test "an interrupt ends everything at each point, and so does the end of the terminal" {
	hotspot
	up wg1
	browser chromium
	env=(DISPLAY=:0)
	local s
	for s in INT TERM HUP; do
		# while it asks
		mode mute
		begin
		lab_wait grep -q '^8080 GET' "$spot/log"
		lab_wait lab_run pgrep -u alice -x wgns-portal
		signal $s
		ends 1
		grep -q '^wgns: portal: interrupted' "$out"
		is_clean
		# while the page is shown
		mode portal
		lab_run rm -f /run/user/4801/orphan
		begin --browser chromium
		lab_wait lab_run test -s /run/user/4801/orphan
		signal $s
		ends 1
		is_clean
		: >"$spot/log"
	done
}

@test "a tunnel that nobody answers is told of, and an interrupt ends that waiting, too" {
	hotspot
	up wg0
	# the web is let through, and nothing else
	printf '#!/bin/sh\nnft flush chain inet hotspot web\n' >"$spot/pressed"
	begin
	wait_for "captive: $page"
	press
	wait_for 'free: the portal has let this machine through'
	signal INT
	ends 1
	is_clean
	hotspot_again() { lab_in isp nft 'add rule inet hotspot web iifname "isp0" tcp dport 80 redirect to :8080'; }
	hotspot_again
	begin
	wait_for "captive: $page"
	press
	ends 0
	grep -qx 'wgns: warning: wg0: nothing came through the tunnel in 15 s; `sudo wgns status` says more' "$out"
}

@test "root's browser is the user's who called sudo, and without one none is opened" {
	hotspot
	up wg0
	browser chromium
	begin_as_root() {
		out=$BATS_TEST_TMPDIR/out
		: >"$out"
		(lab_close_fds && lab_run env "$@" DISPLAY=:0 PATH="/run/bin:$PATH" "$WGNS" portal --browser chromium) </dev/null >"$out" 2>&1 &
		portal_pid=$!
	}
	begin_as_root -u SUDO_UID -C /root
	wait_for 'no browser is opened as root'
	wait_for "captive: $page"
	press
	ends 0
	grep -qx 'wg0: the tunnel answers' "$out"
	run ! lab_run test -e /run/user/4801/called
	lab_in isp nft flush set inet hotspot free
	begin_as_root -C / SUDO_UID=4801 SUDO_GID=4801
	lab_wait lab_run test -s /run/user/4801/orphan
	[ "$(lab_run pgrep -u alice -xc sleep)" = 2 ]
	press
	ends 0
	is_clean
}

@test "on a terminal the waiting is shown, and Ctrl-C is heard there" {
	local typed=$BATS_TEST_TMPDIR/typed keys
	hotspot
	up wg1
	browser lynx
	mkfifo "$typed"
	exec {keys}<>"$typed"
	out=$BATS_TEST_TMPDIR/out
	(lab_close_fds && lab_as alice script -qefc 'stty cols 100; exec wgns portal' /dev/null) <"$typed" >"$out" 2>&1 &
	portal_pid=$!
	wait_for 'waiting for the portal to let this machine through: '
	printf '\003' >&"$keys"
	ends 1
	grep -q 'interrupted' "$out"
	is_clean
	# a browser that needs the terminal has it, and it is left alone
	: >"$out"
	(lab_close_fds && lab_as alice script -qefc 'exec wgns portal --browser lynx' /dev/null) <"$typed" >"$out" 2>&1 &
	portal_pid=$!
	wait_for "captive: $page"
	lab_wait lab_run test -s /run/user/4801/orphan
	[[ $(lab_run sh -c 'readlink /proc/$(pgrep -u alice -f ^lingering)/fd/0') = /dev/pts/* ]]
	press
	ends 0
	exec {keys}>&-
	is_clean
	run ! grep -q 'waiting for the portal' "$out"
}

@test "a browser that does not start, or is closed, is told, and the waiting goes on" {
	hotspot
	up wg1
	begin --browser nosuch
	wait_for 'nosuch is no browser that wgns knows'
	wait_for 'the browser did not start'
	grep -q 'nosuch.*: No such file or directory' "$out"
	press
	ends 0
	lab_in isp nft flush set inet hotspot free
	begin --browser true
	wait_for 'the browser was closed'
	press
	ends 0
}
