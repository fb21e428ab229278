// Package proxy is the only way by which Chrome reaches the network: an HTTP
// proxy on loopback, one for each browser context, that connects where the guard lets
// it and nowhere else.
//
// It judges the address of every connection as it is made, so redirects,
// sub-resources, iframes, WebSockets and names that change their answer are all
// covered. HTTPS passes through as a CONNECT tunnel, end to end: the proxy sees
// neither the address within the site nor the content, and the site sees
// Chrome's own handshake. What was refused, and which address each host really
// had, is remembered for the visit under way, for the manifest.
package proxy
