#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""BGP for VPNs: two speakers, a byte stream between them, and one VPNv4 route with its label."""
import labelmesh

bgp = labelmesh.load("bgpvpn")
CUSTOMER = 7  # a VRF
AS = 65000


def eight_bytes(make, *args):
    """A route distinguisher or a route target."""
    out = bytearray(8)
    make(*args, out)
    return bytes(out)


class Speaker:
    def __init__(self, ip, router_id):
        self.ip, self.inbox, self.stream = ip, b"", None
        # In earnest the seed is os.urandom(32); here the run shall repeat.
        self.engine = bgp.new("engine", bgp.struct(
            "config", local_as=AS, router_id=router_id, seed=ip.encode().ljust(32)), now)
        target = eight_bytes(bgp.rt_make, AS, 1, 0)
        self.engine.vrf_add(now, bgp.struct(
            "vrf_config", vrf=CUSTOMER, rd=eight_bytes(bgp.rd_make, AS, router_id, 0),
            import_rts=target, export_rts=target))

    def add_neighbor(self, peer, flags=0):
        self.peer = peer
        self.engine.neighbor_add(now, bgp.struct(
            "neighbor_config", remote_as=AS, flags=flags, address=bgp.address(peer.ip)))

    def apply(self, event):
        if event.kind == bgp.EVENT_CONNECT:  # open TCP; here it is there at once
            self.stream, peer = event.parent_id, self.peer
            peer.stream = peer.engine.accept(now, bgp.address(peer.ip), bgp.address(self.ip))
            self.engine.stream_up(now, self.stream, bgp.address(self.ip))
        elif event.kind == bgp.EVENT_UP:
            print(f"{self.ip}: Established")
        elif event.kind == bgp.EVENT_CLOSE:
            self.stream = None
        elif event.kind == bgp.EVENT_DOWN:
            print(f"{self.ip}: down, NOTIFICATION {event.code}/{event.subcode}",
                  {bgp.REASON_SENT: "sent", bgp.REASON_RECEIVED: "received"}[event.reason])

    def routes(self):
        return iter(self.engine.poll_route, None)

    def show(self, route):
        if route.state == bgp.ROUTE_DOWN:
            print(f"{self.ip}: VRF {route.vrf} lost {bgp.text(route.prefix)}")
            return
        targets = bgp.bytes(*self.engine.get_attribute(route.route_id,
                                                       bgp.ATTR_EXTENDED_COMMUNITIES))
        print(f"{self.ip}: VRF {route.vrf} has {bgp.text(route.prefix)} by "
              f"{bgp.text(route.next_hop)}, label {route.label}, RD {bytes(route.rd).hex()}, "
              f"targets {targets.hex()}")


def exchange():
    """Events, routes, bytes, until nobody has any."""
    busy = True
    while busy:
        busy = False
        for speaker in speakers:
            for event in speaker.engine.events():
                speaker.apply(event)
            for route in speaker.routes():
                speaker.show(route)
            if speaker.inbox and speaker.stream:
                taken = speaker.engine.input(now, speaker.stream, speaker.inbox,
                                             len(speaker.inbox))
                speaker.inbox = speaker.inbox[taken:]
                busy = True
            if speaker.stream:
                speaker.engine.set_credit(now, speaker.stream, 65536)  # room in the socket
            for _, data in speaker.engine.outputs(now):
                show_nlri(speaker, data)
                speaker.peer.inbox += data
                busy = True


def show_nlri(speaker, data):
    """What the messages of a stretch of the stream announce."""
    while data:
        header = bgp.header_decode(data, len(data))
        if header.type == bgp.MESSAGE_UPDATE:
            update = bgp.update_decode(data, header.length, 4, 0)
            if update.reach_len:
                print(f"{speaker.ip}: sends NLRI {bgp.bytes(update.reach, update.reach_len).hex()}")
        data = data[header.length:]


def run(until):
    """The loop of docs/loop.md, with deadlines in place of a clock."""
    global now
    exchange()
    while (due := min(speaker.engine.deadline() for speaker in speakers)) <= until:
        now = max(now, due)
        for speaker in speakers:
            speaker.engine.timeout(now)
        exchange()
    now = until


now = 0
a, b = speakers = Speaker("192.0.2.1", 1), Speaker("192.0.2.2", 2)
b.add_neighbor(a, bgp.NEIGHBOR_PASSIVE)
a.add_neighbor(b)
a.engine.announce(now, CUSTOMER, bgp.struct("local_route", label=200,
                                            prefix=bgp.address("10.2.2.0/24")))
run(until=10_000)
a.engine.withdraw(now, CUSTOMER, bgp.address("10.2.2.0/24"))
run(until=20_000)

# A header without the marker: the codec raises; the engine never does, but ends the session.
noise = bytes(19)
try:
    bgp.header_decode(noise, len(noise))
except labelmesh.Error as error:
    print("noise:", error)
b.inbox = noise
run(until=20_000)
