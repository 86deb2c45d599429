"""Events over the wire: what a stream says of runs as they come, change, end and go."""

from tests.api.listening import listening
from tests.api.serving import serving
from tests.api.test_index_at_start import complete, with_index
from tests.fakes.mlflow import FakeMlflow


async def test_a_run_from_its_start_to_its_end(fake: FakeMlflow) -> None:
    """A listener is told how many runs there are, and then of a run that comes, changes and ends."""
    fake.add_run(start_time=1, end_time=2)
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api) as stream:
            [snapshot] = await stream.named("snapshot")
            assert 1 == snapshot.data["total"]
            run_id = fake.add_run(status="RUNNING", start_time=fake.store.now(), end_time=None)
            [created] = await stream.named("run.created")
            assert (run_id, True, "RUNNING") == (
                created.run_id,
                created.data["matches"],
                created.data["run"]["status"],
            )
            fake.store.runs[run_id].log_param("depth", "3")
            [updated] = await stream.named("run.updated")
            assert {"depth": "3"} == updated.data["run"]["params"]
            fake.store.runs[run_id].update(status="FINISHED", end_time=fake.store.now())
            [ended] = await stream.named("run.ended")
            assert "FINISHED" == ended.data["run"]["status"]
