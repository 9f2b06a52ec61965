# Sends a neighbour advertisement: INTERFACE ADDRESS INDEX MAC FLAGS.
import socket, struct, sys

_, address, index, mac, bits = sys.argv[1:]
target = socket.inet_pton(10, address)
packet = struct.pack("!BBHBxxx16sBB6s", 136, 0, 0, int(bits), target, 2, 1, bytes.fromhex(mac))
s = socket.socket(10, 3, 58)
s.setsockopt(41, 17, int(index))
s.setsockopt(41, 18, 255)
s.sendto(packet, ("ff02::1", 0, 0, int(index)))
