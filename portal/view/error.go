package view

// ErrorPage says what went wrong and what to do.
type ErrorPage struct {
	Page
	Body       string
	ID         string // number to tell the people who run the site; may be empty
	BackHref   string // the start page of the area
	OfferTrack bool   // offer a fresh private link
}
