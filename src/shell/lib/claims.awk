# Exits with SETTING_CLAIMED if a record of another owner claims a setting. In: the files of the ledger. ENVIRON has
# the claim and the owner. Each verb claims as its function in boot/verbs.sh does.
BEGIN { FS = "\t"; claim = ENVIRON["claim"]; owner = ENVIRON["owner"] }
function claims(name) { if (name == claim) isShared = 1 }
$2 != "setting" || $4 == owner { next }
$5 == "timeouts" { claims("timeouts") }
$5 == "module" {
  claims("module." $6)
  for (i = 7; i <= NF; i++) claims("parameter." $6 "." substr($i, 1, index($i, "=") - 1))
}
$5 == "forwarding" { claims("dragged.net.ipv4.ip_forward") }
$5 == "forwarding" || $5 == "sysctl" {
  for (i = 6; i < NF; i += 2) { gsub("/", "%2F", $i); claims("sysctl." $i) }
}
END { if (isShared) exit SETTING_CLAIMED }
