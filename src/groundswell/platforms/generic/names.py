"""What columns of tables are called, by the field of a post that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Beside the fields of a post: goes before the text, with an empty line between.
TITLE: Final = "title"

#: Names of columns by field, the likeliest first, folded, with `_` for everything that is no letter or digit. Those
#: with a capital in them (`likeCount`) are the same without the `_`.
#: English, as the platforms' APIs and common tools write them; then German, French, Spanish, Portuguese, Italian,
#: Dutch, Turkish, Indonesian, Russian, Japanese, Chinese.
NAMES: Final[Mapping[str, str]] = {
    "post_id": (
        "post_id id_str id tweet_id status_id video_id media_id item_id message_id comment_id uid postid tweetid "
        "beitrags_id id_publication id_publicacion id_postagem gonderi_id"
    ),
    "text": (
        "text full_text tweet tweet_text content contents post_text message caption body selftext description "
        "comment post status_message transcript clean_text clean_comment inhalt nachricht beitrag texte contenu "
        "legende texto contenido "
        "mensaje conteudo mensagem legenda testo contenuto tekst inhoud metin icerik teks isi текст 本文 "
        "テキスト 内容 文本"
    ),
    TITLE: (
        "title post_title video_title headline subject titel titre titulo titolo baslik judul заголовок タイトル 标题"
    ),
    "created_at": (
        "created_at created_utc create_time create_time_iso created_at_iso created published_at publish_time "
        "published posted_at taken_at taken_at_timestamp created_date published_date publish_date date_posted "
        "video_publish_time status_published unix_timestamp timestamp datetime date_time date time post_date "
        "tweet_created cts datum erstellt_am veroeffentlicht veroffentlicht zeitpunkt cree_le date_de_publication "
        "horodatage fecha fecha_creacion criado_em data data_pubblicazione gepubliceerd tarih tanggal дата 日時 "
        "日付 时间 日期"
    ),
    "observed_at": "observed_at collected_at scraped_at crawled_at retrieved_at fetched_at abgerufen_am",
    "author_id": (
        "author_id user_id userid channel_id account_id owner_id from_id profile_id page_id author_meta_id "
        "author_info_id autor_id auteur_id"
    ),
    "author_name": (
        "author_username author_user_name author_unique_id author_handle author_screen_name author_name "
        "author_meta_name author_info_unique_id username screen_name user_screen_name user_username user_name "
        "owner_username owner_name handle author user channel_title channel_name account account_name "
        "profile_name page_name writer nickname owner benutzer "
        "nutzer autor auteur utilisateur usuario utente autore gebruiker kullanici pengguna автор пользователь "
        "ユーザー 作者 用户"
    ),
    "likes": (
        "likes like_count likes_count num_likes nlikes like favorites favorite_count favourites favourites_count "
        "favs digg_count hearts score upvotes gefaellt_mir gefallt_mir j_aime me_gusta curtidas mi_piace begeni "
        "suka лайки いいね 点赞"
    ),
    "shares": (
        "shares share_count shares_count num_shares share nretweets retweets retweet_count retweet_num reposts "
        "repost_count geteilt partages compartidos compartilhamentos condivisioni paylasim репосты 转发"
    ),
    "comments": (
        "comments comment_count comments_count num_comments comms_num nreplies comment replies reply_count "
        "kommentare antworten commentaires reponses comentarios respuestas commenti reacties yorum yorumlar "
        "komentar комментарии コメント数 评论"
    ),
    "views": (
        "views view_count views_count num_views plays play_count video_play_count video_view_count video_views "
        "impressions impression_count aufrufe vues visualizaciones vistas visualizacoes visualizzazioni "
        "weergaven goruntulenme просмотры 再生回数 播放"
    ),
    "saves": "saves save_count saved bookmarks bookmark_count collect_count gespeichert",
    "hashtags": "hashtags hashtag hash_tags tagged_hashtags mots_dieses хештеги ハッシュタグ 话题",
    "mentions": "mentions user_mentions mentioned_users erwaehnungen erwahnungen menciones mencoes menzioni",
    "urls": "urls links outlinks expanded_urls",
    "media_urls": "media_urls media_url image_url image_urls thumbnail_link thumbnail_url photo_url picture",
    "url": (
        "url link permalink post_url post_link tweet_url tiktok_url web_video_url video_url web_url full_link "
        "adresse lien enlace"
    ),
    "platform": "platform network social_network social_media plattform plateforme plataforma piattaforma платформа",
    "lang": "lang language language_code sprache langue idioma lingua taal dil bahasa язык",
    "region": "region country country_code land pays pais paese ulke negara страна",
    "location": "location place place_name user_location ort lieu ubicacion localizacao luogo",
    "kind": "kind post_type media_type status_type type",
    "duration_s": (
        "duration_s duration video_duration video_duration_sec video_meta_duration length_s dauer duree duracion "
        "duracao durata"
    ),
    "followers": (
        "followers followers_count follower_count user_followers user_followers_count author_followers "
        "author_followers_count author_meta_fans fans num_followers subscribers subscriber_count abonnenten "
        "abonnes seguidores seguaci volgers takipci pengikut подписчики フォロワー 粉丝"
    ),
    "following": (
        "following following_count author_following author_meta_following user_friends user_friends_count "
        "friends_count user_following"
    ),
    "verified": (
        "verified is_verified user_verified author_verified author_is_verified author_meta_verified verifiziert "
        "verifie verificado verificato"
    ),
    "author_created_at": "author_created_at user_created user_created_at account_created",
    "music_id": "music_id music_meta_music_id sound_id",
    "music_title": "music_title music_name music_meta_music_name sound_name sound",
    "music_author": "music_author music_meta_music_author sound_author",
}
