/**
 * Names of packages as Debian, RPM and apk have them (`g++`, `NetworkManager`, `lib32stdc++6`). A manager takes more than names:
 * to apt, `NAME-` is "remove it", and `NAME+` is another way to write NAME; to dnf and apk, a name with the ending of a file of
 * packages is a file.
 */
const name = /^[A-Za-z0-9](?:[A-Za-z0-9+._-]{0,126}(?:[A-Za-z0-9]|\+\+))?$/;
const fileOfPackages = /\.(?:deb|rpm)$|\.apk/i;

/** What is wrong with one that does not match. */
export const noPackageName =
  "is no package name: letters, digits and + . _ - only, with a letter, a digit or ++ at the end, and no file (.deb, .rpm, .apk)";

export const isPackageName = (text: string): boolean => name.test(text) && !fileOfPackages.test(text);
