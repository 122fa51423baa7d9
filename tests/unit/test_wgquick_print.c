// SPDX-License-Identifier: GPL-2.0-or-later
/* what is printed as wg(8) and wg-quick(8) print it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/wgquick.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define P1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static void test_wgquick_strip(void **state)
{
	static const struct {
		const char *text, *stripped; /* NULL: refused */
	} row[] = {
		{ "", "\n" },
		{ "[Interface]\nAddress=10.0.0.1\n PrivateKey = k # c\r\n\n# d\n[Peer]\nDNS=x",
		  "[Interface]\nPrivateKey = k # c\r\n\n# d\n[Peer]\nDNS=x\n\n" },
		{ "[ Interface ]\nAddress=x\n \t", "[ Interface ]\nAddress=x\n\n" },
		{ "\xef\xbb\xbf[Interface]\nMTU=1\n", "\xef\xbb\xbf[Interface]\nMTU=1\n\n" },
		{ "[Interface]\nSaveConfig=no\n", NULL },
		{ "[Peer]\nSaveConfig=no\n", "[Peer]\nSaveConfig=no\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		char *out = NULL;
		size_t len;
		int rc = wgquick_strip(row[i].text, strlen(row[i].text), &out, &len, &diags);

		assert_int_equal(rc, row[i].stripped ? 0 : -EINVAL);
		if (rc == 0) {
			assert_string_equal(out, row[i].stripped);
			assert_int_equal(len, strlen(row[i].stripped));
		}
		free(out);
		diag_free(&diags);
	}
}

static void test_wgquick_print(void **state)
{
	static const char text[] =
		"[Interface]\nPrivateKey=" KEY
		"\nListenPort=51820\nFwMark=51820\nAddress=10.0.0.9\nMTU=1400\nTable=off\n"
		"DNS=1.1.1.1,a.example\nSaveConfig=true\nPostDown=d\nPreUp=a # b\n"
		"[Peer]\nPublicKey=" P1 "\nAllowedIPs=10.0.0.0/8,::/0\n"
		"Endpoint=[2001:db8::1]:1\nPersistentKeepalive=25\nPresharedKey=" KEY
		"\n[Peer]\nPublicKey=" KEY "\nPersistentKeepalive=0\n";
	static const char wg[] = "ListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = " KEY
				 "\n\n[Peer]\nPublicKey = " P1 "\nPresharedKey = " KEY
				 "\nAllowedIPs = 10.0.0.0/8, ::/0\nEndpoint = [2001:db8::1]:1\n"
				 "PersistentKeepalive = 25\n\n[Peer]\nPublicKey = " KEY "\n";
	static const char quick[] =
		"[Interface]\nAddress = 10.0.0.2/24\nDNS = 1.1.1.1\nDNS = a.example\n"
		"MTU = 1400\nTable = off\nSaveConfig = true\nPreUp = a # b\n"
		"PostDown = d\n";
	struct diag_list diags = { 0 };
	struct wgquick conf;
	struct addr live;

	(void)state;
	assert_int_equal(addr_parse_prefix("10.0.0.2/24", 11, &live), 0);
	assert_int_equal(wgquick_parse(text, strlen(text), "wg0", &conf, &diags), 0);
	char *shown = wgquick_print_wg(&conf.device);
	char *saved = wgquick_print_saved(&conf, &live, 1, &conf.device);
	assert_non_null(shown);
	assert_non_null(saved);
	assert_memory_equal(shown, "[Interface]\n", 12);
	assert_string_equal(shown + 12, wg);
	assert_memory_equal(saved, quick, strlen(quick));
	assert_string_equal(saved + strlen(quick), wg);
	free(shown);
	free(saved);
	wgquick_free(&conf);
	diag_free(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wgquick_strip),
		cmocka_unit_test(test_wgquick_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
