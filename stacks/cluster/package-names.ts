/**
 * Names of packages in Debian, RPM and apk (`g++`, `NetworkManager`, `lib32stdc++6`). A package manager
 * accepts more than names. For apt `NAME-` means "remove it", and `NAME+` means NAME. For dnf and apk a name
 * with the suffix of a package file is a file.
 */
const name = /^[A-Za-z0-9](?:[A-Za-z0-9+._-]{0,126}(?:[A-Za-z0-9]|\+\+))?$/;
const fileOfPackages = /\.(?:deb|rpm)$|\.apk/i;

/** The error for a name that does not match. */
export const noPackageName =
  "is not a package name: letters, digits and + . _ - only, with a letter, a digit or ++ at the end, and no file (.deb, .rpm, .apk)";

export const isPackageName = (text: string): boolean => name.test(text) && !fileOfPackages.test(text);
