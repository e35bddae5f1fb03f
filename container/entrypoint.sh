#!/bin/sh
# What the container starts: secrets become options, and then this process becomes konnectd.
#
# Nothing is written, so the root file system can be read-only. Secrets stay in their files; only names of files, and
# the name the directory is asked by, get into the environment.
set -eu
umask 077

secrets=${KONNECTD_DOCKER_SECRETS_PATH:-/run/secrets}

refuse() {
    echo "entrypoint: $1" >&2
    exit 1
}

# Print the path of a secret; nothing if it is not there and nobody asked for it.
# $1: the variable that can name its file, $2: that file by default.
find_secret() {
    eval "named=\${$1:-}"
    file=${named:-$2}
    case $file in
    /*) path=$file ;;
    *) path=$secrets/$file ;;
    esac
    if [ -f "$path" ]; then
        [ -r "$path" ] || refuse "$path can not be read by user $(id -u)"
        printf '%s' "$path"
    elif [ -n "$named" ]; then
        refuse "$1 names $path, which is not there"
    fi
}

# Who is root has been asked for that (docker run --user 0), and gets rid of it before any secret is read.
if [ "$(id -u)" = 0 ]; then
    case ${KONNECTD_USER:-konnectd} in
    root | 0) refuse "KONNECTD_USER must not be root" ;;
    esac
    exec setpriv --reuid="${KONNECTD_USER:-konnectd}" --regid="${KONNECTD_GROUP:-konnectd}" --clear-groups \
        --inh-caps=-all --bounding-set=-all --no-new-privs "$0" "$@"
fi

key=$(find_secret KONNECTD_SIGNING_PRIVATE_KEY_FILE konnectd_signing_private_key)
secret=$(find_secret KONNECTD_ENCRYPTION_SECRET_FILE konnectd_encryption_secret)
username=$(find_secret KONNECTD_KOPANO_SERVER_USERNAME_FILE konnectd_kopano_server_username)
password=$(find_secret KONNECTD_KOPANO_SERVER_PASSWORD_FILE konnectd_kopano_server_password)
dn=$(find_secret KONNECTD_LDAP_BIND_DN_FILE konnectd_ldap_bind_dn)
bind=$(find_secret KONNECTD_LDAP_BIND_PASSWORD_FILE konnectd_ldap_bind_password)

# These name files below the folder of secrets here, and whole paths for konnectd, or nothing at all.
unset KONNECTD_SIGNING_PRIVATE_KEY_FILE KONNECTD_ENCRYPTION_SECRET_FILE KONNECTD_KOPANO_SERVER_USERNAME_FILE
unset KONNECTD_KOPANO_SERVER_PASSWORD_FILE KONNECTD_LDAP_BIND_DN_FILE KONNECTD_LDAP_BIND_PASSWORD_FILE

# What the environment says of an option itself wins over a secret that happens to be there.
if [ -n "$key" ]; then export KONNECTD_SIGNING_PRIVATE_KEY="${KONNECTD_SIGNING_PRIVATE_KEY:-$key}"; fi
if [ -n "$secret" ]; then export KONNECTD_ENCRYPTION_SECRET="${KONNECTD_ENCRYPTION_SECRET:-$secret}"; fi
if [ -n "$username" ] && [ -z "${KOPANO_SERVER_USERNAME:-}" ]; then export KOPANO_SERVER_USERNAME_FILE="$username"; fi
if [ -n "$password" ] && [ -z "${KOPANO_SERVER_PASSWORD:-}" ]; then export KOPANO_SERVER_PASSWORD_FILE="$password"; fi
if [ -n "$dn" ] && [ -z "${LDAP_BINDDN:-}" ]; then
    LDAP_BINDDN=$(cat "$dn")
    export LDAP_BINDDN
fi
if [ -n "$bind" ] && [ -z "${LDAP_BINDPW:-}" ]; then export LDAP_BINDPW_FILE="$bind"; fi

# Konnect's image could run another program in the place of konnectd.
if [ "${EXE:-konnectd}" != konnectd ]; then echo "entrypoint: EXE has no effect; give a program as the command" >&2; fi
unset EXE

extra=${ARGS:-}
unset ARGS

case ${1:-help} in
serve)
    shift
    # shellcheck disable=SC2086 # words, as Konnect's image has it
    set -- konnectd serve "$@" $extra
    ;;
-* | check-config | demo | doctor | explain | healthcheck | help | keys | setup | utils | version)
    set -- konnectd "${@:-help}"
    ;;
esac
exec "$@"
