// Trusted Types: the only URLs that may run as code are this app's own.

interface Policy {
  createScriptURL(url: string): string
}
interface Factory {
  createPolicy(name: string, rules: Policy): Policy
}

const rules: Policy = {
  createScriptURL(url) {
    const asked = new URL(url, location.href)
    if (asked.origin !== location.origin || !asked.pathname.startsWith('/m/')) throw new TypeError(url)
    return url
  },
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
const policy = factory?.createPolicy('doorstep', rules) ?? rules

/** A URL of this app, as the browser wants it. */
export function trusted(url: string): string {
  return policy.createScriptURL(url)
}
