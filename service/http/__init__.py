"""HTTP as such: server, request pipeline, problem details, encoded responses. It knows no run."""
