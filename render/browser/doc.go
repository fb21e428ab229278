// Package browser keeps the pool of headless Chromes that captures are made
// with: it starts them, lends places in them, and replaces a browser that is old,
// holds too much memory, or has crashed.
//
// A browser makes several captures at once, so that another page goes on while
// one is waited for. Each is in a browser context of its own, with a proxy of its
// own through which all its traffic goes, and finds nothing of any capture
// before. A page that hangs or crashes costs its neighbours nothing: its process
// is ended alone, and a browser that has to go is given up only once the others
// are done, within a limit.
//
// Chrome runs with its sandbox, unless as root, and each as a process group of
// its own with a throw-away profile. After Close, and after any crash, no Chrome
// process and no profile directory of the pool is left. The first browser of
// each build is tried with a tiny page before anything is captured with it.
//
// Pages take commands through Session, not through chromedp's targets, which
// switch on domains of the protocol at the page's cost and know no workers;
// chromedp talks to the browser itself.
package browser
