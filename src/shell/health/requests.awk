# The configuration of a curl that sends the requests of many checks, and the line that it prints on each.
# The name of a page has the token, which no server knows.
BEGIN { token = ENVIRON["token"]; most = 1048576; pages = DIR "/" SERIAL "-" token "-" }
function pageOf(n) { return pages n ".page" }
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
  # curl writes each variable at once, but text by single characters, so a success has little of it.
  print "write-out = \"%{stderr}%{filename_effective}%{exitcode} %{http_code}%{size_download}\\n" \
    "%{onerror} %{time_starttransfer} %{errormsg} .\\n\"" > to
}
