import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Every range of the IANA special-purpose registry, and what clouds added to it. */
const specialIPv4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; Alibaba Cloud's metadata
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host, which looks public
  '169.254.0.0/16', // link-local; the metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; Oracle Cloud's metadata
  '192.0.2.0/24', // TEST-NET-1
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // automatic multicast tunnels
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // TEST-NET-2
  '203.0.113.0/24', // TEST-NET-3
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved; broadcast
].map((range) => ipaddr.IPv4.parseCIDR(range));

/**
 * Only this much of IPv6 is global unicast. It leaves out loopback, IPv4 in every embedding, NAT64,
 * discard, segment routing, unique local, link-local, site-local and multicast.
 */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

const specialIPv6 = [
  '2001::/23', // protocol assignments; Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries any IPv4 address
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
].map((range) => ipaddr.IPv6.parseCIDR(range));

/** Whether this is an address of the public internet, in the spelling that sockets report. */
export function isPublicAddress(ip: string): boolean {
  // A zone names an interface of this machine. `isIP` is strict where ipaddr.js takes `127.1`.
  if (isIP(ip) === 0 || ip.includes('%')) return false;
  const address = ipaddr.parse(ip);
  return address instanceof ipaddr.IPv4
    ? !specialIPv4.some((range) => address.match(range))
    : address.match(globalUnicast) && !specialIPv6.some((range) => address.match(range));
}
