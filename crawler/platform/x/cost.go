package x

// Prices of the pay-per-use plan, in millionths of a US dollar, as read on 28
// August 2026. What is read again on the same day (UTC) is to be free; X calls
// that a soft promise, and a poll cannot know of others, so their sum is the
// most that is charged.
const (
	pricePost  = 5_000
	priceUser  = 10_000
	priceOwned = 1_000 // a post of one's own, read through one's own app
)

// Cost is what X charges for what this poll read so far, in millionths of a US
// dollar: posts and users, wherever in an answer they are, each once. Pictures
// are free.
func (c *Client) Cost() int64 { return c.cost }

// charge counts what an answer brought.
func (c *Client) charge(p page, timeline bool) {
	once := func(key string, price int64) {
		if !c.charged[key] {
			c.charged[key] = true
			c.cost += price
		}
	}
	for _, t := range p.tweets {
		price := int64(pricePost)
		if timeline && c.cfg.OwnedReads && t.AuthorID == c.account {
			price = priceOwned
		}
		once("post "+t.ID, price)
	}
	for _, t := range p.mentioned {
		once("post "+t.ID, pricePost)
	}
	for _, u := range p.users {
		once("user "+u.ID, priceUser)
	}
}
