"""What the store's settings add, deployed and used: vectors in S3 Vectors, and the partner as a reader."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from causeway.settings import Settings, load_settings
from causeway.store.database import Database, StoreError
from causeway.store.embeddings import Hashing, passages
from local.aws.embedded import EmbeddedAws
from local.demo.deploy import deploy
from local.demo.films import FILMS, film_files
from local.demo.partner import PartnerSide
from local.demo.progress import Progress
from local.demo.store import SEARCH, Application
from local.demo.watch import Watch

pytestmark = pytest.mark.embedded
SERVED = ("castings", "films", "people")
CHANGES = (
    ('vectors = "postgres"', 'vectors = "s3"'),
    ("partner_reads = false", "partner_reads = true"),
    # It may read two of the three that are served.
    ('datasets = ["*"]', 'datasets = ["films", "people"]'),
    ("[partner.ml]\nenabled = true", "[partner.ml]\nenabled = false"),
)


@dataclass
class Loaded:
    aws: EmbeddedAws
    settings: Settings
    outputs: dict[str, dict[str, str]]
    application: Application

    @property
    def store(self) -> dict[str, str]:
        return self.outputs["causeway-store"]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder, company, progress = tmp_path_factory.mktemp("options"), load_settings().company, Progress()
    with EmbeddedAws(account=company.account, region=company.region, logs=folder / "logs") as aws:
        outputs = deploy(aws, folder, progress, *CHANGES)
        settings = load_settings(folder / "settings.toml")
        lake = outputs["causeway-lake"]
        Watch(aws, lake, outputs["causeway-pipeline"]).land(film_files(), progress.note)
        catalog = aws.catalog()
        newest = {name: catalog.load_table(("causeway_lake", name)).current_snapshot() for name in SERVED}
        application = Application(aws, settings, outputs["causeway-store"])
        snapshots = {name: str(one.snapshot_id) for name, one in newest.items() if one}
        application.await_loads(snapshots, progress.note)
        yield Loaded(aws, settings, outputs, application)


def test_the_search_function_finds_in_s3_vectors_what_numpy_finds(loaded: Loaded) -> None:
    lines = gzip.decompress(FILMS.read_bytes()).decode().splitlines()
    films = {film["href"]: film for film in map(json.loads, lines) if film["href"] and film["extract"]}
    question = SEARCH["question"]
    asked = np.array(Hashing().embed([question])[0], np.float32)

    def nearest(among: Iterable[dict[str, Any]]) -> list[float]:
        texts = [film["extract"][a:b] for film in among for a, b in passages(film["extract"])]
        matrix = np.array([vector for vector in Hashing().embed(texts) if vector], np.float32)
        return sorted((matrix @ asked).tolist(), reverse=True)

    def similarities(found: dict[str, Any]) -> list[float]:
        return [one["similarity"] for one in found["answers"]]

    found = loaded.application.search(question=question, limit=10)
    assert similarities(found) == pytest.approx(nearest(films.values())[:10], abs=2e-4)
    assert not found["exact"]
    year = loaded.application.search(question=question, filters={"year": 1942}, limit=3)
    assert [one["row"]["year"] for one in year["answers"]] == [1942] * 3
    joined = loaded.application.search(**SEARCH)
    assert joined["exact"]
    with_him = [film for film in films.values() if "Humphrey Bogart" in film["cast"]]
    assert similarities(joined) == pytest.approx(nearest(with_him)[: SEARCH["limit"]], abs=2e-4)


def test_the_index_has_the_passages_of_the_store_and_no_stray(loaded: Loaded) -> None:
    vectors, arn = loaded.aws.client("s3vectors", loaded.aws.account), loaded.store["VectorBucket"]
    listed = vectors.list_vectors(indexArn=f"{arn}/index/films-256")["vectors"]
    owner = loaded.aws.client("rds-data", loaded.aws.account)
    database = Database(
        owner, loaded.store["Cluster"], loaded.store["ReaderSecret"], loaded.store["Database"]
    )
    live = database.query(
        "SELECT count(*) AS n, (SELECT count(*) FROM causeway.loads) AS loads FROM vectors.films"
    )
    assert live == [{"n": len(listed), "loads": 3}]
    assert len(listed) > 4_000


def test_the_partner_reads_its_datasets_in_the_store_and_is_refused_all_else(loaded: Loaded) -> None:
    role = loaded.store["StoreRoleArn"]
    partner = PartnerSide(loaded.aws, loaded.settings, role)
    session = partner._take(role, partner._reader, ExternalId=loaded.settings.partner.external_id)

    def client(service: str) -> Any:
        return partner._client(service, session)

    store = loaded.store
    database = Database(client("rds-data"), store["Cluster"], store["PartnerSecret"], store["Database"])
    assert database.query("SELECT count(*) AS n FROM curated.films")[0]["n"] > 4_000
    assert database.query("SELECT count(*) AS n FROM curated.people")[0]["n"] > 1_500
    for table in ("curated.castings", "quarantine.films", "causeway.loads", "vectors.films"):
        with pytest.raises(StoreError, match="permission denied"):
            database.query(f"SELECT * FROM {table}")
    with pytest.raises(StoreError, match="permission denied"):
        database.query("DELETE FROM curated.films")
    reader = Database(client("rds-data"), store["Cluster"], store["ReaderSecret"], store["Database"])
    with pytest.raises(StoreError, match="AccessDenied"):
        reader.query("SELECT 1")
    vector = {"float32": [1.0] * 256}
    index = f"{store['VectorBucket']}/index/films-256"
    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3vectors").query_vectors(indexArn=index, queryVector=vector, topK=1)
    with pytest.raises(ClientError, match="AccessDenied"):
        client("lambda").invoke(FunctionName=store["SearchFunction"], Payload="{}")
