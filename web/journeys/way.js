// The way between a phone and its hall, with everything that goes wrong on it.

import { createServer, request } from 'node:http'
import { once } from 'node:events'

const PAGE = '<!doctype html><title>Wi-Fi</title><h1>请先登录此 Wi-Fi</h1>'

/** What stands in the way; `open` lets everything through. */
const FAULTS = {
  open: null,
  /** A captive portal answers everything with its own page. */
  portal: (_, reply) => reply.writeHead(200, { 'content-type': 'text/html' }).end(PAGE),
  /** A proxy that is overloaded. */
  busy: (_, reply) => reply.writeHead(503, { 'content-type': 'text/html', 'retry-after': '1' }).end('busy'),
  /** The hall says that the session is over. */
  expired: (_, reply) =>
    reply
      .writeHead(401, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ type: 'urn:doorstep:not-signed-in', title: 'Not signed in', status: 401 })),
  /** Connections are cut before anything is said. */
  cut: (asked) => asked.socket.destroy(),
  /** Nothing is ever said. */
  silent: () => undefined,
  /** Half of the hall's reply arrives, after it has stored everything. */
  half: 'half',
}

export class Way {
  static async open(hall) {
    const way = new Way()
    way.hall = hall
    way.mode = 'open'
    way.passed = 0
    way.server = createServer((asked, reply) => way.carry(asked, reply))
    way.server.listen(0, '127.0.0.1')
    await once(way.server, 'listening')
    way.base = `http://127.0.0.1:${way.server.address().port}`
    return way
  }

  /** The app itself always arrives: what is tried here is the hall's word. */
  carry(asked, reply) {
    const fault = asked.url.startsWith('/api/') ? FAULTS[this.mode] : null
    if (typeof fault === 'function') return fault(asked, reply)
    this.passed += 1
    const how = { host: '127.0.0.1', port: this.hall.port, path: asked.url, method: asked.method, headers: asked.headers }
    const onward = request(how, (said) => {
      if (fault !== 'half') {
        reply.writeHead(said.statusCode, said.headers)
        return said.pipe(reply)
      }
      const pieces = []
      said.on('data', (piece) => pieces.push(piece))
      said.on('end', () => {
        const whole = Buffer.concat(pieces)
        reply.writeHead(said.statusCode, { ...said.headers, 'content-length': whole.length })
        reply.write(whole.subarray(0, whole.length / 2), () => asked.socket.destroy())
      })
      return undefined
    })
    onward.on('error', () => asked.socket.destroy())
    asked.pipe(onward)
    return undefined
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }

  /** What the phone needs of a hall. */
  code(login) {
    return this.hall.code(login)
  }
}
