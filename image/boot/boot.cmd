# Chooses a slot and starts its kernel. One script for every board and for QEMU, run by U-Boot (hush shell) from the first partition.
#
# The slot state is two copies of a redundant U-Boot environment (crc32, counter, data; as libubootenv writes it) in the raw second
# partition: 4 KiB each, at 0 and 4 MiB. BOOT_<slot>_LEFT is 9 for a slot that is confirmed, which is never counted: pulling the plug
# changes nothing. 1 to 3 is an update on trial, counted down here; 0 is given up.

setenv CONFIRMED 9
setenv COPY_BYTES 0x1000
setenv COPY_BLOCKS 8
setenv SECOND_COPY_BLOCK 0x2000

# Addresses as distances from the kernel's, so that they fit every board with 512 MB.
setexpr comp_addr ${kernel_addr_r} + 0x6000000
setexpr initrd_addr ${kernel_addr_r} + 0xA800000
setexpr work_addr ${kernel_addr_r} + 0xC000000
setexpr dtb_addr ${kernel_addr_r} + 0xC800000
setenv kernel_comp_addr_r ${comp_addr}
setenv kernel_comp_size 0x4000000
setexpr raw1 ${work_addr} + 0x10000
setexpr raw2 ${work_addr} + 0x20000
setexpr flat1 ${work_addr} + 0x30000
setexpr flat2 ${work_addr} + 0x40000

echo "Ledge: starting from ${devtype} ${devnum}"

# The watchdog of the Pi (BCM2835 PM block, 16 s at most): if the kernel does not take it over, the board starts again.
# QEMU's model of it resets at once; there the board has no serial number.
setenv ledge_watchdog none
setenv ledge_power unknown
if test -n "${board_rev}" && test "${serial#}" != "0000000000000000" && test -n "${serial#}"; then
  setenv pm_base
  if fdt addr ${fdtcontroladdr}; then
    fdt get value soc / compatible 1
    if test "${soc}" = "brcm,bcm2837"; then setenv pm_base 0x3f100000; fi
    if test "${soc}" = "brcm,bcm2711"; then setenv pm_base 0xfe100000; fi
    if test "${soc}" = "brcm,bcm2712"; then setenv pm_base 0x107d200000; fi
  fi
  if test -n "${pm_base}"; then
    # PM_RSTS: after a reset by the watchdog, which each reset by software is, one of 0x70 is set; after a power-on none
    setexpr pm_rsts ${pm_base} + 0x20
    setexpr.l rsts *${pm_rsts}
    setexpr rsts 0x${rsts} "&" 0x70
    if itest 0x${rsts} -ne 0; then setenv ledge_power kept; fi
    setexpr pm_rstc ${pm_base} + 0x1c
    setexpr pm_wdog ${pm_base} + 0x24
    mw.l ${pm_wdog} 0x5a0f0000
    mw.l ${pm_rstc} 0x5a000020
    setenv ledge_watchdog u-boot
  fi
fi

# Is the slot state there, and which copy is the newer one?
${devtype} dev ${devnum}
setenv newest 0
setenv good1 0
setenv good2 0
if part start ${devtype} ${devnum} 2 block1; then
  setexpr block2 0x${block1} + ${SECOND_COPY_BLOCK}
  if ${devtype} read ${raw1} 0x${block1} ${COPY_BLOCKS}; then
    cp.b ${raw1} ${flat1} 4
    setexpr from ${raw1} + 5
    setexpr to ${flat1} + 4
    cp.b ${from} ${to} 0xffb
    if env import -c ${flat1} 0xfff ledge_nothing; then setenv good1 1; fi
  fi
  if ${devtype} read ${raw2} 0x${block2} ${COPY_BLOCKS}; then
    cp.b ${raw2} ${flat2} 4
    setexpr from ${raw2} + 5
    setexpr to ${flat2} + 4
    cp.b ${from} ${to} 0xffb
    if env import -c ${flat2} 0xfff ledge_nothing; then setenv good2 1; fi
  fi
fi
setexpr at ${raw1} + 4
setexpr.b count1 *${at}
setexpr at ${raw2} + 4
setexpr.b count2 *${at}
if test ${good1} = 1; then setenv newest 1; fi
if test ${good2} = 1; then
  if test ${good1} = 0; then
    setenv newest 2
  else
    # the counter is one byte and wraps
    if itest 0x${count2} -gt 0x${count1}; then setenv newest 2; fi
    if itest 0x${count1} -eq 0xff && itest 0x${count2} -eq 0; then setenv newest 2; fi
    if itest 0x${count2} -eq 0xff && itest 0x${count1} -eq 0; then setenv newest 1; fi
  fi
fi

setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
if test ${newest} = 1; then env import -c ${flat1} 0xfff BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fi
if test ${newest} = 2; then env import -c ${flat2} 0xfff BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fi
setenv state_lost 0
if test ${newest} = 0 || test -z "${BOOT_ORDER}"; then
  echo "Ledge: both copies of the slot state are damaged; taking slot A, then B"
  setenv state_lost 1
  setenv BOOT_ORDER "A B"
  setenv BOOT_A_LEFT ${CONFIRMED}
  setenv BOOT_B_LEFT ${CONFIRMED}
fi

# the counter is one byte, and mw.b writes no more than that of it
setenv save_state '
  setexpr flat ${work_addr} + 0x50000;
  setexpr raw ${work_addr} + 0x60000;
  env export -c -s 0xfff ${flat} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT;
  if test ${newest} = 1; then setexpr count 0x${count1} + 1; setenv block 0x${block2}; else setexpr count 0x${count2} + 1; setenv block 0x${block1}; fi;
  cp.b ${flat} ${raw} 4;
  setexpr at ${raw} + 4;
  mw.b ${at} 0x${count};
  setexpr from ${flat} + 4;
  setexpr to ${raw} + 5;
  cp.b ${from} ${to} 0xffb;
  ${devtype} write ${raw} ${block} ${COPY_BLOCKS}'

# U-Boot names one tree for each Pi 5; that with the D0 stepping of its chip wants another one. The tree that the firmware has handed over tells.
if test "${fdtfile}" = broadcom/bcm2712-rpi-5-b.dtb && fdt addr ${fdtcontroladdr}; then
  setenv pinctrl
  if fdt get value at /__symbols__ pinctrl; then fdt get value pinctrl ${at} compatible; fi
  if test "${pinctrl}" = brcm,bcm2712d0-pinctrl; then setenv fdtfile broadcom/bcm2712-d-rpi-5-b.dtb; fi
fi

# What is wired to the pins (hardware.txt on this partition). A 1-Wire bus must stand in the device tree before Linux starts: binding w1-gpio, where
# 6 means open drain. A Pi 5 has its pins at the RP1. Nothing in here keeps the box from starting.
setenv one_wire
if load ${devtype} ${devnum}:1 ${work_addr} hardware.txt; then env import -t -r ${work_addr} ${filesize} one_wire; fi
setenv add_one_wire '
  fdt addr ${dtb};
  fdt resize 0x400;
  setenv pins;
  if fdt get value pins /__symbols__ rp1_gpio; then true; else fdt get value pins /__symbols__ gpio; fi;
  setenv chip;
  if test -n "${pins}"; then fdt get value chip ${pins} phandle; fi;
  if test -n "${chip}"; then
    fdt mknode / onewire;
    fdt set /onewire compatible w1-gpio;
    fdt set /onewire gpios <${chip} ${one_wire} 6>;
    echo "Ledge: 1-Wire at GPIO ${one_wire}";
  else
    echo "Ledge: this board has no pins for 1-Wire";
  fi'

setenv boot_slot '
  echo "Ledge: slot ${slot} (${reason})";
  if load ${devtype} ${devnum}:${part} ${kernel_addr_r} Image.lz4; then
    if load ${devtype} ${devnum}:${part} ${initrd_addr} initrd.img; then
      setenv initrd_bytes ${filesize};
      setenv dtb ${fdtcontroladdr};
      if test -n "${fdtfile}"; then if load ${devtype} ${devnum}:${part} ${dtb_addr} dtbs/${fdtfile}; then setenv dtb ${dtb_addr}; fi; fi;
      if test -n "${one_wire}"; then run add_one_wire; fi;
      part uuid ${devtype} ${devnum}:1 first_part;
      setenv bootargs "rauc.slot=${slot} ledge.slot=${slot} ledge.reason=${reason} ledge.disk=${first_part} ledge.watchdog=${ledge_watchdog} ledge.power=${ledge_power} panic=10 kpti=0 net.ifnames=0 systemd.condition_needs_update=no ${board_args}";
      booti ${kernel_addr_r} ${initrd_addr}:${initrd_bytes} ${dtb};
    fi;
  fi;
  echo "Ledge: the kernel of slot ${slot} cannot be started"'

# What only one machine wants: on the Pi's boards the watchdog that QEMU cannot model is left alone.
setenv board_args "quiet loglevel=4"
if test -n "${board_rev}" && test ${ledge_watchdog} = none; then setenv board_args "${board_args} module_blacklist=bcm2835_wdt"; fi

setenv reason normal
if test ${state_lost} = 1; then setenv reason state-lost; fi
for slot in ${BOOT_ORDER}; do
  if test "${slot}" = A; then setenv left ${BOOT_A_LEFT}; setenv part 5; else setenv left ${BOOT_B_LEFT}; setenv part 6; fi
  if test -z "${left}"; then setenv left 0; fi
  if itest 0x${left} -gt 0; then
    if itest 0x${left} -lt ${CONFIRMED}; then
      setexpr left 0x${left} - 1
      setenv BOOT_${slot}_LEFT ${left}
      setenv reason trial
      run save_state
    fi
    run boot_slot
  fi
  setenv reason fallback
done

# Nothing was confirmed, or nothing could be loaded: any slot that starts is better than none.
setenv reason last-resort
for slot in A B; do
  if test "${slot}" = A; then setenv part 5; else setenv part 6; fi
  run boot_slot
done
echo "Ledge: neither slot can be started. Write the card anew. Trying again in 30 seconds."
sleep 30
reset
