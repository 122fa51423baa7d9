// SPDX-License-Identifier: GPL-2.0-or-later
/* what wg-quick(8) and wg(8) accept, and what they mean by it: one row for each corner case */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/str.h"
#include "wgns/wgquick.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define P1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define P2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define IF "[Interface]\nPrivateKey=" KEY "\n"
#define PEER IF "[Peer]\nPublicKey=" P1 "\n"

static void describe_peer(struct strbuf *b, const struct wg_peer *peer)
{
	char text[ADDR_TEXT_MAX];

	strbuf_addf(b, "peer%s%s", peer->has_preshared_key ? " psk" : "",
		    peer->is_incremental ? " incremental" : "");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		addr_format_prefix(&peer->allowed_ips[i].prefix, text);
		strbuf_addf(b, " %s%s", peer->allowed_ips[i].is_remove ? "-" : "", text);
	}
	if (peer->endpoint_host)
		strbuf_addf(b, " at %s port %s", peer->endpoint_host, peer->endpoint_port);
	if (peer->has_keepalive)
		strbuf_addf(b, " every %u", peer->keepalive);
	strbuf_addf(b, "; ");
}

/* everything but the private key, in words */
static char *describe(const struct wgquick *conf)
{
	static const char *const hooks[] = { "PreUp", "PostUp", "PreDown", "PostDown" };
	struct strbuf b = { 0 };
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < conf->n_addresses; i++) {
		addr_format_prefix(&conf->addresses[i], text);
		strbuf_addf(&b, "addr %s; ", text);
	}
	for (size_t i = 0; i < conf->n_dns; i++) {
		addr_format(&conf->dns[i], text);
		strbuf_addf(&b, "dns %s; ", text);
	}
	for (size_t i = 0; i < conf->n_search; i++)
		strbuf_addf(&b, "search %s; ", conf->search[i]);
	if (conf->mtu)
		strbuf_addf(&b, "mtu %u; ", conf->mtu);
	if (conf->table == WGQUICK_TABLE_OFF)
		strbuf_addf(&b, "table off; ");
	if (conf->table == WGQUICK_TABLE_NUMBER)
		strbuf_addf(&b, "table %u; ", conf->table_number);
	for (unsigned kind = 0; kind < WGQUICK_N_HOOKS; kind++) {
		for (size_t i = 0; i < conf->n_hooks[kind]; i++)
			strbuf_addf(&b, "%s <%s>; ", hooks[kind], conf->hooks[kind][i]);
	}
	if (conf->should_save)
		strbuf_addf(&b, "save; ");
	if (conf->device.has_listen_port)
		strbuf_addf(&b, "port %u; ", conf->device.listen_port);
	if (conf->device.has_fwmark)
		strbuf_addf(&b, "mark %u; ", conf->device.fwmark);
	for (size_t i = 0; i < conf->device.n_peers; i++)
		describe_peer(&b, &conf->device.peers[i]);
	char *s = strbuf_finish(&b);
	assert_non_null(s);
	return s;
}

static const struct {
	const char *text, *means;
} meanings[] = {
	{ "", "" },
	{ "\n \n# comment\n", "" },
	{ IF "Address = 10.0.0.2/24", "addr 10.0.0.2/24; " }, /* no newline at the end */
	{ IF "Address = 10.0.0.2\r\n", "addr 10.0.0.2/32; " },
	{ IF "Address=10.0.0.2/24,fd00::2/64 10.1.0.2\naddress=10.2.0.2/8\n",
	  "addr 10.0.0.2/24; addr fd00::2/64; addr 10.1.0.2/32; addr 10.2.0.2/8; " },
	{ IF "Address=10.0.0.2/255.255.255.0\n", "addr 10.0.0.2/24; " }, /* ip-address(8) */
	{ IF "Address=\nAddress=,\n", "" },
	{ "[iNTERFACE]\nADDRESS=10.0.0.2\n", "addr 10.0.0.2/32; " },
	{ " [Interface] # x\n\tAddress\t=\t10.0.0.2\t# y\n", "addr 10.0.0.2/32; " },
	{ IF "[Interface]\nMTU=1400\n[Interface]\nMTU=1300\n", "mtu 1300; " },
	{ IF "[Peer]\nPublicKey=" P1 "\n[Interface]\nMTU=1400\n", "mtu 1400; peer; " },
	{ IF "MTU=1400\nMTU=\n", "" },
	{ IF "MTU=0x5dc\n", "mtu 1500; " },
	{ IF "DNS=1.1.1.1,::1 a.example\nDNS=9.9.9.9\n",
	  "dns 1.1.1.1; dns ::1; dns 9.9.9.9; search a.example; " },
	{ IF "DNS=10\n", "dns 0.0.0.10; " },
	{ IF "DNS=~.\n", "search ~.; " },
	{ IF "DNS\n", "search DNS; " },
	{ IF "Table=off\n", "table off; " },
	{ IF "Table=OFF\n", "table off; " },
	{ IF "Table=Auto\n", "" },
	{ IF "Table=1234\nTable=\n", "" },
	{ IF "Table=1234\n", "table 1234; " },
	{ IF "Table=0x10\n", "table 16; " },
	{ IF "Table=main\n", "table 254; " },
	{ IF "Table=local\n", "table 255; " },
	{ IF "SaveConfig=TRUE\n", "save; " },
	{ IF "SaveConfig=true\nSaveConfig=false\n", "" },
	{ IF "PostUp = a = b # c %i\nPreUp=x;y\npostup=z\n#PostUp=n\n",
	  "PreUp <x;y>; PostUp <a = b # c %i>; PostUp <z>; " },
	{ IF "PreDown=1\nPostDown=2\n", "PreDown <1>; PostDown <2>; " },
	{ IF "PostUp=\n", "" },
	{ IF "ListenPort=0\n", "port 0; " },
	{ IF "ListenPort=domain\n", "port 53; " },
	{ IF "ListenPort=+80\nListenPort=00051820\n", "port 51820; " },
	{ IF "FwMark=off\n", "mark 0; " },
	{ IF "FwMark=OFF\n", "mark 0; " },
	{ IF "FwMark=0xCa6c\n", "mark 51820; " },
	{ IF "FwMark=010\n", "mark 10; " },
	{ IF "FwMark=4294967295\n", "mark 4294967295; " },
	{ "[ Inter face ]\nPrivate Key = " KEY "\nListen Port = 5 1 8\n", "port 518; " },
	{ "[Interface]\nPrivateKey = AQIDBAUGBwgJCgsMDQ4P EBESExQVFhcYGRobHB0eHyA=\n", "" },
	{ "[Interface]\nprivatekey = " ZERO "\n", "" },
	{ PEER "PresharedKey=" P2 "\n", "peer psk; " },
	{ PEER "AllowedIPs=10.0.0.0/8,fd00::/8\nAllowedIPs=1.2.3.4\n",
	  "peer 10.0.0.0/8 fd00::/8 1.2.3.4/32; " },
	{ PEER "AllowedIPs = 10.0.0 .0 / 8 , ::\n", "peer 10.0.0.0/8 ::/128; " },
	{ PEER "AllowedIPs=10.1.2.3/8\n", "peer 10.0.0.0/8; " },
	{ PEER "AllowedIPs=+10.0.0.0/8,-fd00::/8,1.2.3.4\n",
	  "peer incremental 10.0.0.0/8 -fd00::/8 1.2.3.4/32; " },
	{ PEER "AllowedIPs=+10.0.0.0/8\nAllowedIPs=1.2.3.4\n", "peer 10.0.0.0/8 1.2.3.4/32; " },
	{ PEER "Endpoint=vpn.example.com:51820\n", "peer at vpn.example.com port 51820; " },
	{ PEER "Endpoint=192.0.2.1:0\n", "peer at 192.0.2.1 port 0; " },
	{ PEER "Endpoint=[2001:db8::1]:51820\n", "peer at 2001:db8::1 port 51820; " },
	{ PEER "Endpoint=[fe80::1%eth0]:51820\n", "peer at fe80::1%eth0 port 51820; " },
	{ PEER "Endpoint=fe80::1:51820\n", "peer at fe80::1 port 51820; " },
	{ PEER "Endpoint=[1.2.3.4]:domain\n", "peer at 1.2.3.4 port 53; " },
	{ PEER "Endpoint=a:1\nEndpoint=b:2\n", "peer at b port 2; " },
	{ PEER "PersistentKeepalive=Off\n", "peer every 0; " },
	{ PEER "PersistentKeepalive=0\n", "peer every 0; " },
	{ PEER "PersistentKeepalive=65535\n", "peer every 65535; " },
	{ PEER "[pEER]\nPublicKey=" P1 "\n", "peer; peer; " },
};

static void test_wgquick_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(meanings); i++) {
		struct diag_list diags = { .file = "wg0.conf" };
		struct wgquick conf;

		if (wgquick_parse(meanings[i].text, strlen(meanings[i].text), "wg0", &conf,
				  &diags) != 0)
			fail_msg("row %zu refused: %s", i, diags.items[0].text);
		char *means = describe(&conf);
		assert_string_equal(means, meanings[i].means);
		assert_string_equal(conf.name, "wg0");
		free(means);
		wgquick_free(&conf);
		diag_free(&diags);
	}
}

struct refusal {
	const char *text;
	unsigned line, col;
	const char *says; /* a part of the first problem */
};

static void check_first(const struct refusal *row, size_t n, enum diag_level level)
{
	for (size_t i = 0; i < n; i++) {
		struct diag_list diags = { .file = "wg0.conf" };
		struct wgquick conf;
		int want = level == DIAG_ERROR ? -EINVAL : 0;

		if (wgquick_parse(row[i].text, strlen(row[i].text), "wg0", &conf, &diags) != want)
			fail_msg("row %zu, wrong verdict on: %s", i, row[i].text);
		size_t k = 0;
		while (k < diags.n_items && diags.items[k].level != level)
			k++;
		if (k == diags.n_items)
			fail_msg("row %zu says nothing: %s", i, row[i].text);
		const struct diag *d = &diags.items[k];
		if (d->line != row[i].line || d->col != row[i].col || !strstr(d->text, row[i].says))
			fail_msg("row %zu: %u:%u: %s", i, d->line, d->col, d->text);
		if (want == 0)
			wgquick_free(&conf);
		diag_free(&diags);
	}
}

static void test_wgquick_refused_sections_and_lines(void **state)
{
	static const struct refusal row[] = {
		{ "\xef\xbb\xbf" IF, 1, 1, "byte order mark" },
		{ "\xff\xfe[", 1, 1, "UTF-16" },
		{ "Address=10.0.0.1\n", 1, 1,
		  "Address belongs in [Interface], which has not begun" },
		{ "PrivateKey=" KEY "\n", 1, 1, "PrivateKey belongs in [Interface], which" },
		{ "[Interface\n", 1, 1, "without `]'" },
		{ "[Interface] x\n", 1, 12, "text behind" },
		{ "[Interface]=x\n", 1, 12, "text behind" },
		{ "[Peers]\n", 1, 1, "[Peer] is meant?" },
		{ "[Wireguard]\n", 1, 1, "there are [Interface] and [Peer]" },
		{ "[ Interface ]\nAddress=10.0.0.1\n", 2, 1, "exactly `[Interface]'; line 1" },
		{ IF "Adress=10.0.0.1\n", 3, 1, "Address is meant?" },
		{ IF "Pre Up=x\n", 3, 1, "PreUp is meant?" },
		{ IF "  Foo = bar\n", 3, 3, "unknown key `Foo'" },
		{ IF "; comment\n", 3, 1, "`#' does" },
		{ IF "hello\n", 3, 1, "neither" },
		{ IF "= x\n", 3, 1, "nothing before" },
		{ IF "Jc = 4\n", 3, 1, "AmneziaWG key, not WireGuard's" },
		{ IF "H4 = 4\n", 3, 1, "AmneziaWG" },
		{ IF "PublicKey=" P1 "\n", 3, 1, "PublicKey belongs in [Peer]" },
		{ PEER "DNS=1.1.1.1\n", 5, 1, "DNS belongs in [Interface], not in [Peer]" },
		{ PEER "PostUp=x\n", 5, 1, "PostUp belongs in [Interface]" },
		{ PEER "ListenPort=1\n", 5, 1, "ListenPort belongs in [Interface]" },
		{ IF "[Peer]\n[Peer]\nPublicKey=" P1 "\n", 3, 1, "no PublicKey" },
		{ IF "[Peer]\n", 3, 1, "no PublicKey" },
	};

	(void)state;
	check_first(row, N(row), DIAG_ERROR);
}

static void test_wgquick_refused_quick_values(void **state)
{
	static const struct refusal row[] = {
		{ IF "Address\n", 3, 1, "is not an address" },
		{ IF "Address=10.0.0.1, 10.0.0\n", 3, 19, "is not an address" },
		{ IF "Address=10.0.0.1/33\n", 3, 18, "from 0 to 32" },
		{ IF "Address=10.0.0.1/255.0.255.0\n", 3, 18, "from 0 to 32" },
		{ IF "Address=fd00::1/129\n", 3, 17, "from 0 to 128" },
		{ IF "Address=fe80::1%eth0/64\n", 3, 9, "zone" },
		{ IF "Address=ff02::1\n", 3, 9, "multicast" },
		{ IF "Address=/etc/host*\n", 3, 9, "is not an address" },
		{ IF "Address=10.0.0.1/8\nAddress=10.0.0.1/8\n", 4, 9, "in line 3 already" },
		{ IF "Address=fd00::1/64,fd00::1/48\n", 3, 20, "in line 3 already" },
		{ IF "DNS=1.2.3.400\n", 3, 5, "name server" },
		{ IF "DNS=https://dns.example\n", 3, 5, "name server" },
		{ IF "DNS=fe80::1%eth0\n", 3, 5, "zone" },
		{ IF "MTU\n", 3, 1, "`MTU' is not a number" },
		{ IF "MTU = 0\n", 3, 7, "from 1" },
		{ IF "MTU = 65536\n", 3, 7, "from 1" },
		{ IF "MTU = 14 00\n", 3, 7, "from 1" },
		{ IF "MTU = -5\n", 3, 7, "from 1" },
		{ IF "Table = nosuchtable\n", 3, 9, "rt_tables" },
		{ IF "Table = 4294967296\n", 3, 9, "rt_tables" },
		{ IF "Table = 1 2\n", 3, 9, "rt_tables" },
		{ IF "SaveConfig = yes\n", 3, 14, "true or false" },
		{ IF "SaveConfig =\n", 3, 13, "true or false" },
		{ IF "PreUp\n", 3, 1, "PreUp has no `='" },
		{ IF "PreUp # = x\n", 3, 1, "PreUp has no `='" },
	};

	(void)state;
	check_first(row, N(row), DIAG_ERROR);
}

static void test_wgquick_refused_wg_values(void **state)
{
	static const struct refusal row[] = {
		{ "[Interface]\nPrivateKey=\n", 2, 1, "no value" },
		{ "[Interface]\nPrivateKey = " KEY "=\n", 2, 14, "45 characters" },
		{ "[Interface]\nPrivateKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n", 2, 14,
		  "43 characters" },
		{ "[Interface]\nPrivateKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB=\n", 2, 14,
		  "mistyped" },
		{ "[Interface]\nPrivateKey = AQIDBAUGBwgJCgsMDQ-PEBESExQVFhcYGRobHB0eHyA=\n", 2, 32,
		  "character 19 of the key" },
		{ "[Interface]\nPrivateKey = 0102030405060708090a0b0c0d0e0f10"
		  "1112131415161718191a1b1c1d1e1f20\n",
		  2, 14, "hexadecimal" },
		{ IF "ListenPort=65536\n", 3, 12, "65535" },
		{ IF "ListenPort=70000\n", 3, 12, "65535" },
		{ IF "ListenPort=-1\n", 3, 12, "neither a port" },
		{ IF "ListenPort=nosuchservice\n", 3, 12, "neither a port" },
		{ IF "FwMark=0X10\n", 3, 8, "FwMark" },
		{ IF "FwMark=0x\n", 3, 8, "FwMark" },
		{ IF "FwMark=4294967296\n", 3, 8, "FwMark" },
		{ IF "FwMark=99999999999999999999\n", 3, 8, "FwMark" },
		{ IF "FwMark=-1\n", 3, 8, "FwMark" },
		{ IF "[Peer]\nPublicKey=\n", 4, 1, "no value" },
		{ PEER "PresharedKey=\n", 5, 1, "no value" },
		{ PEER "AllowedIPs=\n", 5, 1, "no value" },
		{ PEER "AllowedIPs\n", 5, 1, "neither" },
		{ PEER "AllowedIPs=10.0.0.0/8,\n", 5, 23, "nothing between" },
		{ PEER "AllowedIPs=10.0.0.0/8,,::/0\n", 5, 23, "nothing between" },
		{ PEER "AllowedIPs=10.0.0.0/255.0.0.0\n", 5, 21, "from 0 to 32" },
		{ PEER "AllowedIPs=1.2.3.4, 10.0.0.0/33\n", 5, 30, "from 0 to 32" },
		{ PEER "AllowedIPs=0/0\n", 5, 12, "not a network" },
		{ PEER "AllowedIPs=10.0.0.0/\n", 5, 20, "from 0 to 32" },
		{ PEER "AllowedIPs=fe80::1%eth0/64\n", 5, 12, "zone" },
		{ PEER "AllowedIPs=+-1.2.3.4\n", 5, 12, "not a network" },
		{ PEER "Endpoint=1.2.3.4\n", 5, 10, "no port" },
		{ PEER "Endpoint=host:\n", 5, 10, "nothing after" },
		{ PEER "Endpoint=:1\n", 5, 10, "no host" },
		{ PEER "Endpoint=[]:1\n", 5, 10, "no host" },
		{ PEER "Endpoint=[::1:1\n", 5, 10, "without `]'" },
		{ PEER "Endpoint=[::1]1\n", 5, 10, "no port" },
		{ PEER "Endpoint=[::1]:\n", 5, 10, "nothing after" },
		{ PEER "Endpoint=2001:db8:0:0:0:0:0:1\n", 5, 10, "write [ADDRESS]:PORT" },
		{ PEER "Endpoint=host:65536\n", 5, 10, "65535" },
		{ PEER "Endpoint=host:nosuchservice\n", 5, 10, "UDP service" },
		{ PEER "Endpoint=1.2.3.400:1\n", 5, 10, "not an IPv4 address" },
		{ PEER "Endpoint=[fe80::1%]:1\n", 5, 10, "no interface" },
		{ PEER "Endpoint=[2001:db8::1%eth0]:1\n", 5, 10, "link-local" },
		{ PEER "Endpoint=http://a.example:1\n", 5, 10, "URL" },
		{ PEER "PersistentKeepalive=0x10\n", 5, 21, "PersistentKeepalive" },
		{ PEER "PersistentKeepalive=65536\n", 5, 21, "PersistentKeepalive" },
	};

	(void)state;
	check_first(row, N(row), DIAG_ERROR);
}

static void test_wgquick_warnings(void **state)
{
	static const struct refusal row[] = {
		{ "", 0, 0, "no PrivateKey" },
		{ IF "DNS = a.example\n", 3, 7, "without a server" },
		{ IF "DNS = 10\n", 3, 7, "0.0.0.10" },
		{ IF "MTU = 1279\nAddress=fd00::1\n", 3, 7, "1280" },
		{ PEER "AllowedIPs=10.0.0.1/8\n", 5, 12, "10.0.0.0/8 is used" },
		{ PEER "Endpoint=fe80::1:1\n", 5, 10, "[ADDRESS]:PORT" },
		{ PEER "[Peer]\nPublicKey=" P1 "\n", 5, 1, "line 3 have one PublicKey" },
		{ PEER "AllowedIPs=10.0.0.0/8\n[Peer]\nPublicKey=" P2
		       "\nAllowedIPs=::/0,10.0.0.0/8\n",
		  8, 17, "the peer of line 3 has 10.0.0.0/8 too" },
		{ IF "[Peer]\nPublicKey=B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n", 3, 1,
		  "the interface itself" },
	};

	(void)state;
	check_first(row, N(row), DIAG_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wgquick_meaning),
		cmocka_unit_test(test_wgquick_refused_sections_and_lines),
		cmocka_unit_test(test_wgquick_refused_quick_values),
		cmocka_unit_test(test_wgquick_refused_wg_values),
		cmocka_unit_test(test_wgquick_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
