"""The whole server, put together from its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from twinlens.app import App, DataFolderError, EngineSetupError, create_app
from twinlens.settings import Settings, SettingsError


def settings(folder: Path, **changes: object) -> Settings:
    own: dict[str, object] = {"engine": "script", "decode_workers": 1, "data_dir": folder, **changes}
    return Settings(**own)  # type: ignore[arg-type]


def test_a_server_answers_from_its_start_to_its_end(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1beta/models", headers={"x-goog-api-key": "any"}).json()["models"]
        assert not client.get("/v1beta/models/").is_redirect


def test_what_stopping_has_to_release_can_be_called_at_any_time(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    assert isinstance(app, App)
    app.release()

    with TestClient(app, base_url="http://127.0.0.1") as client:
        app.release()
        assert client.get("/healthz").status_code == 200


def test_a_data_folder_is_held_by_one_server(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))), pytest.raises(DataFolderError):
        create_app(settings(tmp_path))


@pytest.mark.parametrize("named", ["no-such-engine", "script.engine"])
def test_an_engine_that_does_not_exist_is_told_at_once(tmp_path: Path, named: str) -> None:
    with pytest.raises(EngineSetupError):
        create_app(settings(tmp_path, engine=named))


def test_a_host_that_cannot_be_allowed_is_told_by_its_flag(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--fetch-allow"):
        create_app(settings(tmp_path, fetch_allow=("http://a b",)))
