// Package browser keeps the pool of headless Chromes that captures are made
// with: it starts them, lends a fresh browser context for one capture at a time,
// and replaces a browser that is old, crashed or hung.
//
// Each browser is a process group of its own with a throw-away profile and a
// proxy of its own, through which all its traffic goes. After Close, and after
// any crash, no Chrome process and no profile directory of the pool is left.
package browser
