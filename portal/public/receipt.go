package public

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/view"
)

const receiptCookie = "receipt"

// receipt is what a person gets for a filed request. It travels to the receipt
// page in an encrypted cookie, because the private link in it is kept nowhere
// else.
type receipt struct {
	ID     string
	Number string
	Secret string
	Due    candor.Date
	Email  string // where a copy was mailed to

	Unmailed bool // there is an address, but it got too many of late
}

// receipts keeps one draft from being filed twice by an impatient second
// click. It remembers for an hour, in memory: a restart in between costs at
// worst a duplicate that staff can close.
type receipts struct {
	code *securecookie.SecureCookie
	now  func() time.Time

	mu     sync.Mutex
	drafts map[string]*filed
}

type filed struct {
	mu   sync.Mutex
	done bool
	got  receipt
	at   time.Time
}

func newReceipts(secret []byte, now func() time.Time) *receipts {
	hash := sha256.Sum256(append([]byte("candor receipt hash\n"), secret...))
	block := sha256.Sum256(append([]byte("candor receipt block\n"), secret...))
	return &receipts{code: securecookie.New(hash[:], block[:]).MaxAge(3600), now: now, drafts: map[string]*filed{}}
}

// once files a draft, or gives the receipt it already got.
func (s *receipts) once(draft string, file func() (receipt, error)) (receipt, error) {
	if len(draft) < 16 || len(draft) > 64 {
		return file() // not a draft of ours: nothing to remember it by
	}
	s.mu.Lock()
	for id, f := range s.drafts {
		if s.now().Sub(f.at) > time.Hour {
			delete(s.drafts, id)
		}
	}
	f := s.drafts[draft]
	if f == nil {
		f = &filed{at: s.now()}
		s.drafts[draft] = f
	}
	s.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return f.got, nil
	}
	got, err := file()
	if err != nil {
		return receipt{}, err
	}
	f.got, f.done = got, true
	return got, nil
}

func (s *receipts) leave(w http.ResponseWriter, got receipt) error {
	value, err := s.code.Encode(receiptCookie, got)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "write receipt: %w", err)
	}
	http.SetCookie(w, &http.Cookie{Name: receiptCookie, Value: value, Path: "/requests/sent", MaxAge: 3600,
		HttpOnly: true, Secure: view.SecureCookies(), SameSite: http.SameSiteLaxMode})
	return nil
}

// Sent shows the receipt: number, private link, due date.
func (s *Pages) Sent(w http.ResponseWriter, r *http.Request) error {
	var got receipt
	c, err := r.Cookie(receiptCookie)
	if err == nil {
		err = s.receipts.code.Decode(receiptCookie, c.Value, &got)
	}
	if err != nil {
		// The hour is over, or another browser: their own page or a fresh link.
		http.Redirect(w, r, "/my-request", http.StatusSeeOther)
		return nil
	}
	page := view.ReceiptPage{Page: view.For(r, "receipt.title"), Number: got.Number, Link: s.BaseURL + "/r/" + got.Secret, Due: got.Due, Email: got.Email, Unmailed: got.Unmailed}
	page.Section, page.NoIndex = "track", true
	return view.Render(w, r, http.StatusOK, "receipt", page)
}
