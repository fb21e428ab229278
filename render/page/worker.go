package page

import (
	"context"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"

	"github.com/candor-archive/candor/render/browser"
)

// maxWorkers is how many workers of one visit are followed. Those beyond run
// all the same; what they ask for goes through the proxy and is not recorded.
const maxWorkers = 200

const workerTimeout = 10 * time.Second

// following is the command that makes Chrome tell of a page's or worker's
// workers, and hold them until their requests can be seen, too.
func following() browser.Command {
	return browser.Cmd(target.SetAutoAttach, target.SetAutoAttachParams{AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true)}, nil)
}

// adopt follows a worker, and whatever else Chrome makes a target of its own,
// from before its first request. The caller holds the lock.
func (r *recorder) adopt(child *browser.Session) {
	by := asker{session: child, worker: child.Target.Type + " " + clean(child.Target.URL)}
	var cmds []browser.Command
	switch child.Target.Type {
	case "worker", "shared_worker", "service_worker", "iframe":
		if r.workers++; r.workers > maxWorkers {
			break
		}
		if child.Target.Type == "iframe" {
			by.worker = ""
		}
		// A service worker that fills its cache is not what the page shows.
		by.quietly = child.Target.Type == "service_worker"
		child.Listen(func(ev any) { r.take(by, ev) })
		cmds = append(cmds, browser.Cmd(network.Enable, buffers, nil))
		if child.Target.Type != "service_worker" { // which cannot have any
			cmds = append(cmds, following())
		}
	}
	if child.Paused {
		cmds = append(cmds, browser.Cmd(runtime.RunIfWaitingForDebugger, cdp.Empty{}, nil))
	}
	if len(cmds) == 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(r.out.ctx, workerTimeout)
		defer cancel()
		// One that ended meanwhile has nothing to be followed. One that does not
		// answer stays paused and asks for nothing.
		child.Batch(ctx, cmds...)
	}()
}

// buffers is what Chrome keeps of answers until we ask.
var buffers = network.EnableParams{MaxTotalBufferSize: new(int64(bufferTotal)), MaxResourceBufferSize: new(int64(bufferPerBody)), MaxPostDataSize: new(int64(1 << 20))}
