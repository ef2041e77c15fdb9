#!/bin/sh
# Install the charge point as a service of systemd, or bring it up to date: as root, any number of times.
#
#   sudo examples/raspberry_pi/charge_point/install.sh
#
# The program goes to /opt/charge-point, its settings to /etc/charge-point/config.toml, which is never written over, and what it has to
# remember to /var/lib/charge-point. The first time it does not start, since it has to be told its CSMS. With a folder as the argument all of
# that goes below the folder, as for an image, and nothing is started.
set -eu
umask 022

root=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
program=$root/opt/charge-point
settings=$root/etc/charge-point/config.toml
state=/var/lib/charge-point

if [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
  echo "install.sh: this must be run as root: sudo $0" >&2
  exit 1
fi

if [ -z "$root" ]; then
  # Raspberry Pi OS has these groups, for who may use the pins; others may not.
  for group in gpio spi dialout; do
    getent group "$group" >/dev/null || groupadd --system "$group"
  done
  getent passwd charge-point >/dev/null || useradd --system --home-dir "$state" --shell /usr/sbin/nologin charge-point
fi

mkdir -p "$program" "$root/etc/charge-point" "$root/etc/systemd/system" "$root$state"
# Anew, if it was left half made, or is that of a Python that is gone.
"$program/venv/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear --system-site-packages "$program/venv"
# From a copy, since building leaves files behind, which would be root's.
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
cp -R "$project/ocpp_sync" "$project/pyproject.toml" "$project/setup.cfg" "$project/README.md" "$project/LICENSE" "$source"
"$program/venv/bin/pip" install -q "$source" "gpiozero>=2" pyserial
rm -rf "$program/charge_point.new"
cp -R "$here" "$program/charge_point.new"
# Who has tried it there before has a password in these, maybe.
(cd "$program/charge_point.new" && rm -rf config.toml memory.json* memory.damaged memory.new outbox.sqlite3* __pycache__)
chmod -R u=rwX,go=rX "$program/charge_point.new"
rm -rf "$program/charge_point"
mv "$program/charge_point.new" "$program/charge_point"

is_new=false
if [ ! -e "$settings" ]; then
  is_new=true
  # Its secrets are for the service alone; what it remembers is where the service may write.
  umask 077
  sed -e "s|^outbox = .*|outbox = \"$state/outbox.sqlite3\"|" -e "s|^memory = .*|memory = \"$state/memory.json\"|" \
    "$here/config.toml" >"$settings.new"
  mv "$settings.new" "$settings"
  umask 022
fi
install -m 644 "$here/charge-point.service" "$root/etc/systemd/system/charge-point.service"

if [ -z "$root" ]; then
  chown -R charge-point:charge-point "$state"
  chown root:charge-point /etc/charge-point "$settings"
  chmod 750 /etc/charge-point
  chmod 640 "$settings"
  systemctl daemon-reload
  systemctl -q enable charge-point.service
fi
if $is_new; then
  echo "Write the URL, the identity and the password into $settings; then: sudo systemctl restart charge-point"
elif [ -z "$root" ] && ! systemctl restart charge-point.service; then
  echo "install.sh: it does not start; why is in its log: journalctl -u charge-point -n 20" >&2
  exit 1
fi
echo "Its log: journalctl -u charge-point -f"
