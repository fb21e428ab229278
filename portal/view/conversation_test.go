package view

import (
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

func TestAnswersFollowTheWordsTheyAnswer(t *testing.T) {
	order := func(in ...candor.Record) string {
		var ids []string
		for _, r := range Conversation(in) {
			ids = append(ids, r.ID)
		}
		return strings.Join(ids, " ")
	}
	rec := func(id, parent string) candor.Record { return candor.Record{ID: id, ParentID: parent} }
	for name, c := range map[string]struct{ got, want string }{
		"a late answer":              {order(rec("post", ""), rec("ana", "post"), rec("ben", "post"), rec("to-ana", "ana"), rec("to-ben", "ben")), "post ana to-ana ben to-ben"},
		"an answer to what is gone":  {order(rec("ana", "post"), rec("to-gone", "gone"), rec("ben", "post")), "ana to-gone ben"},
		"an answer before its words": {order(rec("to-ana", "ana"), rec("ana", "")), "ana to-ana"},
		"a circle":                   {order(rec("a", "b"), rec("b", "a"), rec("c", "")), "c a b"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}
