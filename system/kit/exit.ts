/** sysexits.h, EX_CONFIG: how a program ends that found a mistake in its configuration; only a person can mend that. */
export const EXIT_CONFIG = 78;
