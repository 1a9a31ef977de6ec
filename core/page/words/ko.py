"""What the page says in Korean."""

from __future__ import annotations

NAME = "한국어"

WORDS = {
    "language": "언어",
    "title": "나는 어떤 배우를 닮았을까?",
    "intro": "얼굴만 보여 주세요. 결과가 바로 나옵니다.",
    "description": "얼굴을 보여 주면 가장 닮은 배우를 알려 드려요. 아무것도 보관하지 않아요.",
    # the input
    "tab_photo": "사진",
    "tab_live": "실시간",
    "photo": "내 사진",
    "live": "내 카메라",
    "example": "사진이 없나요? 우주 비행사로 해 보기",
    "privacy": "사진은 이 서버에서 비교하고 파일은 약 {seconds}초 뒤에 삭제됩니다. 오려 낸 얼굴은"
    " 이 브라우저 탭에만 남습니다. 기록하거나 다른 곳에 넘기지 않습니다.",
    "live_waiting": "카메라를 켜면 움직이는 동안 가장 닮은 배우를 계속 알려 드려요. 영상은"
    " 저장하지 않고, 얼굴을 나타내는 숫자는 1분 안에 지워요.",
    "live_nobody": "얼굴이 보이지 않아요.",
    # filters
    "who": "누구 중에서 찾을까요?",
    "everyone": "모두",
    "women": "여자 배우",
    "men": "남자 배우",
    "country": "나라",
    "all_countries": "모든 나라",
    "nobody_left": "갤러리에 그런 배우가 없어요. 조건을 넓혀 보세요.",
    # the result
    "waiting": "나와 가장 닮은 배우가 여기에 나타납니다.",
    "you": "나",
    "face_number": "얼굴 {number}",
    "your_face": "잘라서 바로 세운 내 얼굴",
    "portrait_of": "{name}의 사진",
    "no_portrait_of": "이 갤러리에는 {name}의 사진이 없습니다",
    "closest": "가장 닮은 배우",
    "rank": "{rank}위",
    "matches": "비교할 배우를 고르세요",
    "points": "점",
    "score": "점수",
    "similarity": "유사도 {value}",
    "meaning": "이 배우들끼리 찾은 닮은꼴 중 {share}%보다 더 닮았어요.",
    "meaning_low": "은근히 닮은 데가 있어요. 이 배우들끼리 찾은 닮은꼴 중 {share}%보다"
    " 더 닮았어요.",
    "meaning_least": "저마다 개성이 뚜렷한 두 얼굴이에요. 이 배우들끼리 찾은 닮은꼴은 거의 모두"
    " 이보다 더 닮았어요.",
    "no_score": "갤러리가 작아 점수를 낼 수 없어요.",
    "same_photo": "갤러리에 있는 바로 그 사진이에요.",
    "same_person": "같은 사람일 수도 있어요.",
    "close_race": "막상막하! {second}도 거의 비슷하게 닮았어요.",
    "rough": "갤러리가 작아 점수는 대략적인 값입니다.",
    "blend": "두 얼굴 섞어 보기",
    "blend_hint": "내 얼굴에서 배우 얼굴로",
    "alike": "어디가 닮았나요?",
    "alike_parts": "특히 {parts} 닮았어요.",
    "alike_whole": "어느 한 곳보다 얼굴 전체가 고루 닮았어요.",
    "alike_eyes": "눈매가",
    "alike_nose": "코가",
    "alike_mouth": "입매가",
    "alike_shape": "얼굴형이",
    "alike_eyes_and": "눈매와",
    "alike_nose_and": "코와",
    "alike_mouth_and": "입매와",
    "alike_shape_and": "얼굴형과",
    "look_up": "{name} 찾아보기",
    "photo_by": "사진: {author}, {licence}",
    "announce": "가장 닮은 배우: {name}. {sentence}",
    # several faces
    "group": "우리 중 누가 제일 닮았을까?",
    "group_hint": "얼굴 {count}개를 찾았어요. 내 얼굴을 고르거나 혼자 나온 사진을 올려 보세요.",
    "group_more": "얼굴 {count}개를 찾았고 그중 {shown}개예요. 내 얼굴을 고르거나 혼자 나온 사진을"
    " 올려 보세요.",
    "group_scene": "번호를 매긴 얼굴 {count}개가 있는 내 사진",
    "group_faces": "사진 속 얼굴",
    # the share card
    "make_card": "공유할 그림 만들기",
    "card_title": "나와 닮은 배우",
    "card_alt": "공유할 그림: 나와 {name}",
    "download": "그림 저장",
    "share": "공유하기",
    "share_text": "나는 {name} 닮은꼴이래요!",
    "card_file": "닮은꼴",
    # why there is no answer
    "no_face": "얼굴을 찾지 못했어요.",
    "no_face_example": "또는 사진 아래 예시로 해 보세요.",
    "unreadable": "사진으로 읽을 수 없는 파일이에요. JPEG, PNG, WebP, HEIC 사진을 써 주세요.",
    "too_large": "사진이 너무 커요. {megabytes}MB, {megapixels}메가픽셀까지 괜찮아요.",
    "failed": "서버에 문제가 생겼어요. 다른 사진으로 다시 해 주세요.",
    # banners and footer
    "starter": "기본 갤러리입니다: 배우 {actors}명, 사진 없음. 출처가 표시된"
    " 사진을 쓰려면 <code>python scripts/download_dataset.py</code>를 실행하고, 내 갤러리를"
    " 쓰려면 <code>dataset/&lt;배우 이름&gt;/</code>에 사진을 넣은 뒤 다시 시작하세요.",
    "embedded": "내장 SFace 모델을 쓰고 있습니다. <code>python"
    " scripts/download_models.py</code>로 AuraFace를 받은 뒤 다시 시작하세요.",
    "fallback": "⚠️ AuraFace를 받지 못해 내장 SFace 모델을 씁니다. 이유는 로그에 있습니다.",
    "alone": "⚠️ 두 번째 신경망 없이 {model} 모델만 쓰고 있어, 찾은 배우가 덜 닮아 보입니다."
    " <code>pip install -r requirements.txt</code>로 설치한 뒤 다시 시작하세요.",
    "footer": "배우 {actors}명, 사진 {portraits}장, {built} 색인 · 모델 {model} ({licence})",
    "credits": "출처와 라이선스",
    "credits_intro": "이 갤러리의 사진을 누가 찍었고 어떤 라이선스로 보여 주는지 적었습니다.",
    "credits_none": "이 갤러리에는 출처가 적힌 사진이 없습니다.",
    "credits_besides": "그 밖에",
    "credits_model": "모델: {model}, {licence}",
    "credits_example": "예시 사진: 아일린 콜린스, NASA, 퍼블릭 도메인",
    "credits_font": "공유 그림의 글꼴: Noto Sans, SIL Open Font License",
    "back": "돌아가기",
    "fun": "재미로만 즐겨 주세요. 누가 누구인지는 알려 주지 않아요.",
}

# What a better photo would change, by the codes of core/faces/quality.py.
COACHING = {
    "perhaps_no_face": "얼굴이 아닐 수도 있어요. 알아보기 어려웠어요.",
    "too_dark": "조금 어두워요. 창문이나 조명을 바라보고 찍어 보세요.",
    "too_bright": "너무 밝아요. 강한 빛을 피하거나 플래시를 꺼 보세요.",
    "blurred": "조금 흐려요. 렌즈를 닦고 흔들리지 않게 찍어 보세요.",
    "too_small": "얼굴이 작게 나왔어요. 카메라에 더 가까이 와 보세요.",
    "turned_away": "고개가 돌아가 있어요. 카메라를 정면으로 바라봐 주세요.",
    "sunglasses": "선글라스를 쓰셨나요? 눈이 보이게 벗고 찍어 보세요.",
    "mask": "입이 가려져 있나요? 마스크를 벗거나 손을 내리고 찍어 보세요.",
}

NO_FACE_TIPS = (
    "눈, 코, 입이 모두 보이게 카메라를 정면으로 바라봐 주세요.",
    "얼굴이 사진의 3분의 1쯤 차도록 가까이 와 보세요.",
    "창문이나 조명을 등지지 말고 마주 보고 찍어 보세요.",
)

# Gradio's own labels; core/page/page.js puts these in their place.
GRADIO = {
    "Upload file": "사진 올리기",
    "File upload": "사진 파일",
    "Capture from camera": "카메라",
    "Paste from clipboard": "붙여넣기",
    "Click to Access Webcam": "눌러서 카메라 켜기",
    "capture photo": "찍기",
    "start recording": "시작",
    "stop recording": "멈춤",
    "Gradio footer navigation": "바닥글",
    "Remove Image": "사진 지우기",
    "select input source": "카메라 고르기",
    "Record": "시작",
    "Stop": "멈춤",
    "녹음": "시작",
    "중지": "멈춤",
    "Waiting": "잠시만요",
    "Image": "이미지",
    "Drop an image file here to upload": "여기에 사진을 끌어다 놓으세요",
    "common.complete": "완료",
    "common.error": "잘되지 않았어요",
    "camera needs https": "카메라는 https://로 시작하는 주소에서만 쓸 수 있어요."
    " 대신 사진을 올려 보세요.",
    "live silent": "서버가 몇 초째 답하지 않아요. 연결이 느리거나 중간에서 답이 막혀 있어요."
    " 답이 오면 실시간이 이어집니다.",
    "photo too large": "사진 파일이 너무 커서 보낼 수 없어요. 더 작은 사진을 골라 주세요.",
    "too many": "짧은 시간에 사진을 너무 많이 보냈어요. 1분 뒤에 다시 해 주세요.",
    "busy": "지금 이용하는 사람이 많아요. 잠시 뒤에 다시 해 주세요.",
    "no answer": "서버가 제대로 답하지 못했어요. 잠시 뒤에 다시 해 주세요.",
    "camera refused": "여기서는 카메라를 쓸 수 없어요. 브라우저 주소창에서 카메라를 허용하거나"
    " 이 페이지를 새 탭에서 열어 주세요.",
}
