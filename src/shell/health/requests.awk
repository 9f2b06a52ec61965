# The configuration of a curl that sends the requests of many checks, and the line that it prints on each.
BEGIN { token = ENVIRON["token"]; most = 1048576 }
function pageOf(n) { return DIR "/" SERIAL "-" token "-" n ".page" }
function quoted(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
# Adds the request of the check whose fields are set.
function addRequest(n, to,   address, name) {
  if (requests[to]++) print "next" > to
  address = name = field["address"] ~ /:/ ? "[" field["address"] "]" : field["address"]
  if (field["host"] != "") {
    name = field["host"]
    print "connect-to = " quoted("::" address ":" field["port"]) > to
  }
  if (field["type"] == "https") print "insecure" > to
  print "globoff\nno-sessionid\nnoproxy = \"*\"\nheader = \"Connection: close\"\nmax-filesize = " most > to
  print "connect-timeout = " field["connect"] "\nmax-time = " field["timeout"] > to
  print "output = " quoted(pageOf(n)) > to
  print "url = " quoted(field["type"] "://" name ":" field["port"] field["path"]) > to
  # It is last, so that curl reports nothing on a check whose lines are cut off, because there was no room for them.
  # The name of the page has the token. curl writes each variable at once, but text by single characters.
  print "write-out = \"%{stderr}\\n%{filename_effective} %{exitcode} %{http_code} %{time_starttransfer} " \
    "%{size_download} %{errormsg}\\n\"" > to
}
