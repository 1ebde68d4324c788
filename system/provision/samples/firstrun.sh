#!/bin/bash

set +e

CURRENT_HOSTNAME=`cat /etc/hostname | tr -d " \t\n\r"`
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_hostname shed
else
   echo shed >/etc/hostname
fi
FIRSTUSER=`getent passwd 1000 | cut -d: -f1`
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom enable_ssh -k 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMclWA1BqsVbNKKNWnU0mA0OoynTFIa67AEfIz2W+YGv anna@laptop'
else
   systemctl enable ssh
fi
if [ -f /usr/lib/userconf-pi/userconf ]; then
   /usr/lib/userconf-pi/userconf 'pi' '$5$Kq1w0aQzTb$r0Cq8pY4uQb3cXx6mJ7nVd9sWfLgHkT2eRzAiOyUvB1'
else
   echo "$FIRSTUSER:"'$5$Kq1w0aQzTb$r0Cq8pY4uQb3cXx6mJ7nVd9sWfLgHkT2eRzAiOyUvB1' | chpasswd -e
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_wlan  -h 'Anna'"'"'s home' '474ba82aa7ecbb0ee0d6a6f625529213ba1e52c48f85417392be8654a469b297' 'GB'
else
cat >/etc/wpa_supplicant/wpa_supplicant.conf <<'WPAEOF'
country=GB
ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=netdev
ap_scan=1

update_config=1
network={
	scan_ssid=1
	ssid="Anna's home"
	psk=474ba82aa7ecbb0ee0d6a6f625529213ba1e52c48f85417392be8654a469b297
}

WPAEOF
   chmod 600 /etc/wpa_supplicant/wpa_supplicant.conf
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_keymap 'gb'
   /usr/lib/raspberrypi-sys-mods/imager_custom set_timezone 'Europe/London'
fi
rm -f /boot/firstrun.sh
sed -i 's| systemd.run.*||g' /boot/cmdline.txt
exit 0
