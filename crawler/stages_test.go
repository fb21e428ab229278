package crawler

import (
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/bluesky"
	"github.com/candor-archive/candor/fixtures/instagram"
	"github.com/candor-archive/candor/fixtures/mastodon"
	"github.com/candor-archive/candor/fixtures/nextdoor"
	"github.com/candor-archive/candor/fixtures/threads"
	"github.com/candor-archive/candor/fixtures/world"
	"github.com/candor-archive/candor/fixtures/x"
	"github.com/candor-archive/candor/fixtures/youtube"
)

// stages are the platforms a month is played on, each with what can happen there.
var stages = []stage{
	{
		kind: candor.SourceInstagram, network: instagram.Network, serve: instagram.New, url: "https://www.instagram.com/larkspurpd/",
		life: world.Life{EditPosts: true, Hide: true, Stories: true},
	},
	{
		kind: candor.SourceThreads, network: threads.Network, serve: threads.New, url: "https://www.threads.com/@larkspurpd",
		life: world.Life{EditPosts: true, EditComments: true, Hide: true, Hold: true, Stories: true, Deep: true},
	},
	{
		kind: candor.SourceYouTube, network: youtube.Network, serve: youtube.New, url: "https://www.youtube.com/@larkspurpd",
		life: world.Life{EditPosts: true, EditComments: true, Hold: true},
		text: func(v world.Version, x *world.Thing) string {
			if x.Root != nil {
				return v.Text
			}
			return strings.TrimSpace(youtube.Title(v.Text) + "\n\n" + youtube.Description(v.Text))
		},
	},
	{
		kind: candor.SourceX, network: x.Network, serve: x.New, url: "https://x.com/larkspurpd",
		life: world.Life{EditPosts: true, Deep: true},
		gaps: []candor.GapReason{candor.GapWindow},
	},
	{
		kind: candor.SourceNextdoor, network: nextdoor.Network, serve: nextdoor.New, url: "https://nextdoor.com/agency-detail/tx/larkspur/police/",
		life: world.Life{EditPosts: true, EditComments: true, Deep: true},
		gaps: []candor.GapReason{candor.GapLimit},
	},
	{
		kind: candor.SourceBluesky, network: bluesky.Network, serve: bluesky.New, url: "https://bsky.app/profile/larkspur.example.gov",
		life: world.Life{EditPosts: true, EditComments: true, Hide: true, Deep: true},
		gaps: []candor.GapReason{candor.GapThrottled},
	},
	{
		kind: candor.SourceMastodon, network: mastodon.Network, serve: mastodon.New, url: "/@cityoflarkspur",
		life: world.Life{EditPosts: true, EditComments: true, Deep: true},
		gaps: []candor.GapReason{candor.GapThrottled},
	},
}
