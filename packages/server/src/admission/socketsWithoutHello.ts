/**
 * Sockets that have not said who they are: few a node, fewer an address; the oldest gives way (AD-3).
 *
 * Life cycle of one: it comes with its socket and leaves with its `hello` or its end, whichever is first. Invariant:
 * what is here never takes an opening's place. Pure.
 */

export interface SocketsWithoutHello<Socket> {
  /** Adds one. Gives back those that give way for it, the oldest first. */
  add(socket: Socket, address: string): readonly Socket[];
  /** It said hello, or is gone. Idempotent. */
  remove(socket: Socket): void;
  readonly size: number;
}

export function createSocketsWithoutHello<Socket>(max: number, perAddressMax: number): SocketsWithoutHello<Socket> {
  /** In the order of coming. */
  const addresses = new Map<Socket, string>();
  const byAddress = new Map<string, Set<Socket>>();

  const remove = (socket: Socket): void => {
    const address = addresses.get(socket);
    if (address === undefined) return;
    addresses.delete(socket);
    const neighbours = byAddress.get(address);
    neighbours?.delete(socket);
    if (neighbours?.size === 0) byAddress.delete(address);
  };

  return {
    add(socket, address) {
      const neighbours = byAddress.get(address) ?? new Set();
      neighbours.add(socket);
      byAddress.set(address, neighbours);
      addresses.set(socket, address);
      // Named only here: a map that lost many of its first keys is slow to name its first one.
      const [oldest] = neighbours.size > perAddressMax ? neighbours : addresses.size > max ? addresses.keys() : [];
      if (oldest === undefined) return [];
      remove(oldest);
      return [oldest];
    },
    remove,
    get size() {
      return addresses.size;
    },
  };
}
