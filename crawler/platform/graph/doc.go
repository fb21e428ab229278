// Package graph is what the connectors of Meta's platforms share: the call
// with a version and a bearer token, the error envelope and its codes, the
// usage headers, listings by cursor, the form of times, and which part of a
// media address stays the same. It knows no platform: fields, edges and what
// they mean are left to the packages beside it.
//
// Paging uses the cursor of an answer, never its "next" address, which holds
// the token and may point anywhere.
package graph
