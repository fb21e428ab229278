// Package discover finds the pages of a website: from its feed, its sitemaps
// and the links on its pages. It keeps to robots.txt and to the rules of
// package scope, asks politely (a budget per host, and "has this changed?" for
// pages it knows), and gives back what each page says. It is the only place
// that names colly.
//
// What it remembers between two runs travels in Memory. It concludes nothing
// about deletion: it reports which known pages answered 404 or 410, and
// whether the home page was there. Dropping off a feed or a sitemap means
// nothing at all.
package discover
