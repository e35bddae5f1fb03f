#!/bin/bash
# Install what tests/real starts by itself: a directory, a store, a browser, proxies, another maker's client.
#
# Only what is missing is installed, and no service of the system is started: policy-rc.d, Debian's word on what may
# run, forbids it meanwhile and is put back as it was afterwards. NO_SYSTEM_PACKAGES=1 leaves the system alone.
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d

# Package, the file that shows it is there, and what is not tested without it.
PARTS=(
    "slapd|/usr/sbin/slapd|users from a real LDAP server"
    "ldap-utils|/usr/bin/ldapsearch|users from a real LDAP server"
    "redis-server|/usr/bin/redis-server|the store for several machines"
    "chromium|/usr/bin/chromium|the pages in a browser"
    "chromium-driver|/usr/bin/chromedriver|the pages in a browser"
    "w3m|/usr/bin/w3m|signing in with a text browser"
    "apache2|/usr/sbin/apache2|signing in to Apache"
    "libapache2-mod-auth-openidc|/usr/lib/apache2/modules/mod_auth_openidc.so|signing in to Apache"
    "libapache2-mod-oauth2|/usr/lib/apache2/modules/mod_oauth2.so|access tokens in the hands of Apache"
    "nginx-light|/usr/sbin/nginx|the example of nginx as a proxy"
    "haproxy|/usr/sbin/haproxy|the examples of HAProxy as a proxy, PROXY protocol"
    "caddy|/usr/bin/caddy|the example of Caddy as a proxy"
    "simplesamlphp|/usr/share/simplesamlphp/www/index.php|signing in at a SAML identity provider"
    "php-xml|/usr/share/php8.2-xml/xml/dom.ini|signing in at a SAML identity provider"
    "nodejs|/usr/bin/node|clients written in JavaScript"
    "npm|/usr/bin/npm|clients written in JavaScript"
)

missing=()
untested=()
for part in "${PARTS[@]}"; do
    IFS='|' read -r package file purpose <<<"$part"
    [ -e "$file" ] && continue
    missing+=("$package")
    untested+=("$purpose ($package)")
done
[ ${#missing[@]} = 0 ] && exit 0

skip() {
    echo "$1; tests of these parts are skipped:"
    printf '  %s\n' "${untested[@]}"
    exit 0
}

[ -z "${NO_SYSTEM_PACKAGES:-}" ] || skip "NO_SYSTEM_PACKAGES is set, nothing is installed"
[ "$(id -u)" = 0 ] || skip "not root, so nothing can be installed (as root: apt-get install ${missing[*]})"
command -v apt-get >/dev/null || skip "this is not a Debian system"

forbid_services() {
    saved=""
    if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then
        saved=$(mktemp -d)
        cp -a "$POLICY" "$saved/policy-rc.d"
        rm -f "$POLICY"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    trap allow_services EXIT
    trap 'exit 130' INT TERM HUP
}

allow_services() {
    rm -f "$POLICY"
    [ -z "$saved" ] && return
    cp -a "$saved/policy-rc.d" "$POLICY"
    rm -rf "$saved"
}

echo "installing ${missing[*]} (NO_SYSTEM_PACKAGES=1 would leave the system alone)"
forbid_services
log=$(mktemp)
if apt-get -qq update >"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    rm -f "$log"
else
    # A machine without a network can still run everything that lives in memory.
    tail -n 20 "$log" >&2
    rm -f "$log"
    skip "the packages could not be installed"
fi
