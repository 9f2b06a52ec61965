# Sends a neighbour advertisement: INTERFACE ADDRESS INDEX MAC FLAGS.
use Socket qw(inet_pton);
my (undef, $address, $index, $mac, $bits) = @ARGV;
my $packet = pack("CCnCx3a16CCH12", 136, 0, 0, $bits, inet_pton(10, $address), 2, 1, $mac);
my $nodes = pack("SnNa16L", 10, 0, 0, inet_pton(10, "ff02::1"), $index);
my $socket;
socket($socket, 10, 3, 58) && setsockopt($socket, 41, 17, pack("i", $index)) &&
  setsockopt($socket, 41, 18, pack("i", 255)) && defined(send($socket, $packet, 0, $nodes)) or die "$!\n";
